"""Tests of netsim.aio."""
