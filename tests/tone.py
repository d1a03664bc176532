#!/usr/bin/env python3
"""Tones in WAV files: made for one end of a call, looked for at the other.

usage: tests/tone.py make HERTZ SECONDS FILE       writes mono, 8 kHz, 16 bit
       tests/tone.py find HERTZ FILE [HERTZ...]    how much of the sound each tone is

`find` prints one line a tone, {"hertz", "share", "seconds"}, and exits 0 when the first tone is there and every further
one is not. `share` is the part of the recording's power that lies at that frequency (the Goertzel algorithm over windows
of 100 ms, the window's best counted); `seconds` is the sum of the windows in which it is above one half. A tone is there
when it fills a second.
"""

import array
import json
import math
import sys
import wave

RATE = 8000
WINDOW = RATE // 10
AMPLITUDE = 12000  # of 32767: well above noise, well below clipping in G.711
SILENCE_POWER = 50.0**2  # mean square of a window below which it holds no sound at all
PRESENT_SHARE = 0.5  # G.711, a lost packet or a comfort tone take far less than half of a pure tone's power
PRESENT_SECONDS = 1.0


def main():
    words = sys.argv[1:]
    if len(words) == 4 and words[0] == "make":
        make(float(words[1]), float(words[2]), words[3])
    elif len(words) >= 3 and words[0] == "find":
        samples = read(words[2])
        found = [find(samples, float(hertz)) for hertz in [words[1], *words[3:]]]
        for line in found:
            print(json.dumps(line))
        there = [line["seconds"] >= PRESENT_SECONDS for line in found]
        sys.exit(0 if there[0] and not any(there[1:]) else 1)
    else:
        sys.exit(__doc__)


def make(hertz, seconds, path):
    step = 2 * math.pi * hertz / RATE
    samples = array.array("h", (int(AMPLITUDE * math.sin(step * i)) for i in range(int(RATE * seconds))))
    with wave.open(path, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.tobytes())


def read(path):
    """Samples of a mono 16-bit WAV file; the length in a header that was never closed is not believed."""
    with open(path, "rb") as f:
        data = f.read()
    at = data.find(b"data")
    if data[:4] != b"RIFF" or at < 0:
        sys.exit(f"{path} is not a WAV file")
    body = data[at + 8 :]
    return array.array("h", body[: len(body) // 2 * 2])


def find(samples, hertz):
    windows = [samples[i : i + WINDOW] for i in range(0, len(samples) - WINDOW + 1, WINDOW)]
    shares = [share(window, hertz) for window in windows]
    seconds = sum(one >= PRESENT_SHARE for one in shares) * WINDOW / RATE
    return {"hertz": hertz, "share": round(max(shares, default=0.0), 3), "seconds": round(seconds, 1)}


def share(window, hertz):
    """Part of the window's power at one frequency, 0 to 1 (Goertzel)."""
    power = sum(s * s for s in window) / len(window)
    if power < SILENCE_POWER:
        return 0.0
    turn = 2 * math.cos(2 * math.pi * hertz / RATE)
    last = before = 0.0
    for s in window:
        last, before = s + turn * last - before, last
    at_tone = 2 * (last * last + before * before - turn * last * before) / len(window) ** 2
    return min(1.0, at_tone / power)


if __name__ == "__main__":
    main()
