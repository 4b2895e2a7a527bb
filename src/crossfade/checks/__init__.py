"""The checks role: does a side work for those who use it?"""
