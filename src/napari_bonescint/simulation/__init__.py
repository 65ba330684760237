"""Simulated planar bone scans for training: skeleton and pose, tracer uptake, body, gamma camera.

Only building the geometry needs the extra ``[simulate]``.
"""
