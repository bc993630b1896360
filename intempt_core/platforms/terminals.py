"""What a terminal needs before it takes the sequences that move its cursor."""

import sys

if sys.platform == "win32":
    import ctypes

    _STANDARD_ERROR = -12
    _TAKES_SEQUENCES = 0x4  # ENABLE_VIRTUAL_TERMINAL_PROCESSING

    def enable_cursor_control() -> bool:
        """Ask the terminal of standard error to take sequences that move its cursor; whether it does."""
        kernel = ctypes.WinDLL("kernel32")
        kernel.GetStdHandle.restype = ctypes.c_void_p
        terminal, mode = ctypes.c_void_p(kernel.GetStdHandle(_STANDARD_ERROR)), ctypes.c_ulong()
        if not kernel.GetConsoleMode(terminal, ctypes.byref(mode)):
            return False
        return bool(kernel.SetConsoleMode(terminal, mode.value | _TAKES_SEQUENCES))

else:

    def enable_cursor_control() -> bool:
        """Say that the terminal takes sequences that move its cursor: only Windows' has to be asked."""
        return True
