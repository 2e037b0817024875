"""Offer/answer: one file per procedure of RFC 3264 and RFC 8829."""
