"""Simulated planar bone scans: skeleton and pose, tracer uptake, body, gamma camera. Makes training cases.

Building the geometry needs the extra ``[simulate]``; nothing else in the plugin does.
"""
