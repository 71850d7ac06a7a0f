"""Long proofs: claims that hold over many thousands of made inputs; `python -m acceptance --help`.

A proof is one file here. It defines `CASES`, how many cases the whole proof has, and `check(case)`, which makes the
case from its number alone and returns None where the claim holds, else a sentence that says what went wrong.
"""
