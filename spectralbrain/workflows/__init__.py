"""Nipype workflow builders."""
