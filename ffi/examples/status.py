#!/usr/bin/env python3
"""What is active, from Python by ctypes: status.py LIBRARY CONFIG. Prints the report as JSON."""

import ctypes
import json
import sys


class Str(ctypes.Structure):
    """A view that belongs to the object it was asked of."""

    _fields_ = [("data", ctypes.c_void_p), ("len", ctypes.c_size_t)]

    def text(self) -> "str | None":
        return None if not self.data else ctypes.string_at(self.data, self.len).decode()


def load(path: str) -> ctypes.CDLL:
    library = ctypes.CDLL(path)
    for name in ("error_message", "error_hint", "report_json"):
        function = getattr(library, f"certwright_{name}")
        function.argtypes, function.restype = [ctypes.c_void_p], Str
    for name in ("error", "config", "builder", "lifecycle", "report"):
        function = getattr(library, f"certwright_{name}_free")
        function.argtypes, function.restype = [ctypes.c_void_p], None
    return library


class Failed(Exception):
    """A call failed: its message and its hint."""


def call(library: ctypes.CDLL, name: str, *arguments: object) -> ctypes.c_void_p:
    """Calls a function whose last parameters are `out` and `error_out`."""
    out, error = ctypes.c_void_p(), ctypes.c_void_p()
    if getattr(library, name)(*arguments, ctypes.byref(out), ctypes.byref(error)) != 0:
        message = library.certwright_error_message(error).text()
        hint = library.certwright_error_hint(error).text()
        library.certwright_error_free(error)
        raise Failed(f"{message}\nhint: {hint}")
    return out


def text(value: str) -> "tuple[ctypes.c_char_p, ctypes.c_size_t]":
    encoded = value.encode()
    return ctypes.c_char_p(encoded), ctypes.c_size_t(len(encoded))


def status(library: ctypes.CDLL, toml: str, path: str) -> object:
    config = call(library, "certwright_config_parse", *text(toml), *text(path))
    builder = call(library, "certwright_builder_new", config)
    lifecycle = call(library, "certwright_builder_build", builder)
    report = call(library, "certwright_status", lifecycle, None, ctypes.c_size_t(0))
    found = json.loads(library.certwright_report_json(report).text() or "null")
    library.certwright_report_free(report)
    library.certwright_lifecycle_free(lifecycle)
    library.certwright_builder_free(builder)
    library.certwright_config_free(config)
    return found


def main() -> int:
    if len(sys.argv) != 3:
        print("usage: status.py LIBRARY CONFIG", file=sys.stderr)
        return 2
    with open(sys.argv[2], encoding="utf-8") as file:
        toml = file.read()
    try:
        print(json.dumps(status(load(sys.argv[1]), toml, sys.argv[2]), indent=2))
    except Failed as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
