"""Multilingual Othello: invented languages over one game, a testbed in which how related two languages are is known.

After Hua, Yun and Pavlick (2024), arXiv 2404.12444.
"""
