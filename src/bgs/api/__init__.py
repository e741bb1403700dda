"""The Python interface: what the commands do, one call each, on objects that print themselves.

``import bgs`` gives all of it, lazily.
"""
