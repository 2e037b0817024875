"""Tests of netsim."""
