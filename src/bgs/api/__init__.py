"""The Python interface: one function per command, returning objects that display as tables.

``import bgs`` exports all of it, lazily.
"""
