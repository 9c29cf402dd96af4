"""``python -m spectralbrain``: the doctor without arguments, the app with arguments."""

import sys

if __name__ == "__main__":
    if len(sys.argv) > 1:
        from spectralbrain.cli import main

        sys.exit(main.main())
    from spectralbrain.cli import doctor

    sys.exit(doctor.main())
