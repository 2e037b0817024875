"""What ``hairpin probe`` does: asks a STUN or TURN server everything that matters.

``Probe`` runs the steps one after the other, each in a file of its own, and collects their
``Finding``s into a ``Report``. A finding that is not good has a ``Cause``; ``advice`` says in
plain words what to do about each, ``natwords`` what a type of NAT means.
"""
