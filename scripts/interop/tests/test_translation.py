"""What translators let in."""

from __future__ import annotations

import unittest

from move.translation import KINDS, Translator

INSIDE = (b"\x0a\x00\x00\x02", 5000)
SERVER = (b"\x0a\x63\x01\x01", 4433)
SAME_HOST = (SERVER[0], 4434)
ELSEWHERE = (b"\x0a\x63\x02\x01", 4433)
OUTSIDE = [b"\x0a\x62\x00\x01", b"\x0a\x62\x00\x02"]


class TranslationTests(unittest.TestCase):
    def test_each_kind_lets_in_what_it_is_named_for(self) -> None:
        expected = {
            "endpoint-independent": [True, True, True],
            "address-restricted": [True, True, False],
            "port-restricted": [True, False, False],
            "symmetric": [True, False, False],
        }
        for kind in KINDS:
            translator = Translator(kind, OUTSIDE)
            place = translator.leave(INSIDE, SERVER)
            found = [translator.enter(remote, place) == INSIDE for remote in (SERVER, SAME_HOST, ELSEWHERE)]
            self.assertEqual(found, expected[kind], kind)
            self.assertEqual(translator.refused, found.count(False))

    def test_only_a_symmetric_one_looks_different_to_others(self) -> None:
        for kind in KINDS:
            translator = Translator(kind, OUTSIDE)
            places = {translator.leave(INSIDE, remote) for remote in (SERVER, ELSEWHERE)}
            self.assertEqual(len(places), 2 if kind == "symmetric" else 1, kind)
            # Whoever was spoken to may answer.
            for remote in (SERVER, ELSEWHERE):
                self.assertEqual(translator.enter(remote, translator.leave(INSIDE, remote)), INSIDE)

    def test_one_that_forgets_lets_nobody_in_and_shows_another_address(self) -> None:
        for kind in KINDS:
            translator = Translator(kind, OUTSIDE)
            before = translator.leave(INSIDE, SERVER)
            translator.forget()
            self.assertIsNone(translator.enter(SERVER, before))
            after = translator.leave(INSIDE, SERVER)
            self.assertEqual((before[0], after[0]), (OUTSIDE[0], OUTSIDE[1]))


if __name__ == "__main__":
    unittest.main()
