#!/usr/bin/python3
"""The checker of histories: sound ones pass, and each way of breaking one is refused."""

import unittest

from history import FencedStore, Op, Run, check, has_order


def sound():
    """Two items: one done at the first try; one whose first holder fell asleep."""
    return [
        Op("add", 1, 0.0, 1.0), Op("add", 2, 0.0, 1.0),
        Op("grant", 1, 2.0, 3.0, 10, client="a", lease_s=5),
        Op("renew", 1, 4.0, 4.5, 10, client="a"),
        Op("complete", 1, 6.0, 7.0, 10, client="a"),
        Op("grant", 2, 2.0, 3.5, 11, client="b", lease_s=5),
        Op("read", 2, 4.0, 4.2, 11, "leased"),
        Op("grant", 2, 9.0, 10.0, 20, client="c", lease_s=5),
        Op("complete", 2, 11.0, 11.5, 11, "stale", "b"),
        Op("complete", 2, 12.0, 13.0, 20, client="c"),
        Op("read", 2, 14.0, 14.5, 20, "done"),
    ]


FINAL = {1: ("done", 10), 2: ("done", 20)}


class Checker(unittest.TestCase):
    def assertRefused(self, words, ops, final=None, runs=()):
        problems = check(ops, final or FINAL, runs)
        self.assertTrue(any(words in one for one in problems), problems)

    def changed(self, place, **fields):
        ops = sound()
        ops[place] = Op(**{**vars(ops[place]), **fields})
        return ops

    def test_a_sound_history_passes(self):
        self.assertEqual(check(sound(), FINAL), [])

    def test_what_was_never_answered_may_have_happened_or_not(self):
        for ops in (self.changed(4, end=None), self.changed(5, end=None)):
            self.assertEqual(check(ops, FINAL), [])
        lost = Op("complete", 2, 11.0, None, 11, client="b")
        self.assertEqual(check([*sound(), lost], FINAL), [])

    def test_a_repeated_completion_with_the_same_fence_is_no_second_one(self):
        self.assertEqual(check([*sound(), Op("complete", 1, 8.0, 8.5, 10, client="a")], FINAL), [])

    # ---- broken histories ------------------------------------------------------------------------

    def test_a_lost_item_is_refused(self):
        self.assertRefused("acknowledged and not done", sound(), {1: ("done", 10)})
        self.assertRefused("acknowledged and not done", sound(),
                           {**FINAL, 2: ("waiting", 0)})

    def test_two_accepted_completions_are_refused(self):
        self.assertRefused("no order explains", self.changed(8, said="ok"))

    def test_an_accepted_stale_token_is_refused(self):
        ops = [op for op in self.changed(8, said="ok") if op.fence != 20 or op.kind == "grant"]
        self.assertRefused("no order explains", ops, {**FINAL, 2: ("done", 11)})

    def test_a_completion_that_is_forgotten_is_refused(self):
        ops = [*sound(), Op("grant", 1, 8.0, 9.0, 21, client="d", lease_s=5)]
        self.assertRefused("no order explains", ops)
        self.assertRefused("accepted, and yet", sound(), {**FINAL, 1: ("done", 11)})

    def test_a_smaller_fence_later_is_refused(self):
        self.assertRefused("fence 9 after 11", self.changed(7, fence=9))

    def test_one_fence_for_two_claimers_is_refused(self):
        self.assertRefused("was given to a and to b", self.changed(5, fence=10))

    def test_overlapping_leases_are_refused(self):
        self.assertRefused("was held until", self.changed(7, start=5.0, end=6.0))

    def test_a_valid_token_that_is_refused_is_refused(self):
        self.assertRefused("a valid token was refused", self.changed(3, said="stale"))
        self.assertRefused("a valid token was refused", self.changed(4, said="stale"))

    def test_a_read_of_an_older_state_is_refused(self):
        self.assertRefused("no order explains", self.changed(10, fence=11, said="leased"))
        self.assertRefused("no order explains", self.changed(10, fence=0, said="waiting"))
        self.assertRefused("no order explains", [*sound(), Op("read", 1, 1.5, 1.6, 0, "absent")])

    def test_a_read_of_the_future_is_refused(self):
        self.assertRefused("no order explains", self.changed(6, fence=20, said="done"))

    def test_an_id_given_twice_is_refused(self):
        self.assertRefused("added twice", [*sound(), Op("add", 1, 3.0, 4.0)])

    def test_the_order_is_real_time_and_not_the_order_of_writing(self):
        overlapping = [Op("complete", 1, 3.0, 9.0, 5), Op("grant", 1, 1.0, 8.0, 5),
                       Op("add", 1, 0.0, 7.0)]
        self.assertTrue(has_order(overlapping))
        apart = [Op("add", 1, 0.0, 1.0), Op("complete", 1, 2.0, 3.0, 5),
                 Op("grant", 1, 4.0, 5.0, 5)]
        self.assertFalse(has_order(apart))

    # ---- programs --------------------------------------------------------------------------------

    def runs(self, **fields):
        second = {"item": 1, "fence": 20, "node": "n5", "begin": 5.0, "last": 6.0, "ended": True}
        return [Run(1, 10, "n4", 2.0, 4.0, False), Run(**{**second, **fields})]

    def check_runs(self, runs, fence=20):
        return check([Op("add", 1, 0.0, 1.0)], {1: ("done", fence)}, runs)

    def test_a_program_that_was_cut_off_and_done_elsewhere_counts_once(self):
        self.assertEqual(self.check_runs(self.runs()), [])
        late = [Run(1, 10, "n4", 2.0, 4.0, True), self.runs()[1]]
        self.assertEqual(self.check_runs(late), [])

    def test_programs_that_break_the_promise_are_refused(self):
        cases = {
            "ran on n4 until": self.runs(begin=3.0),
            "began 2 times": self.runs(begins=2),
            "taken effect 0 times": self.runs(ended=False),
            "ran after 10": self.runs(fence=9),
        }
        for words, runs in cases.items():
            with self.subTest(words):
                problems = self.check_runs(runs)
                self.assertTrue(any(words in one for one in problems), problems)
        accepted_without_a_run = self.check_runs(self.runs(), fence=30)
        self.assertTrue(any("no order" in one for one in accepted_without_a_run))
        self.assertTrue(any("0 times" in one for one in accepted_without_a_run))

    def test_the_store_refuses_smaller_fences(self):
        store = FencedStore()
        store.write(1, 20)
        store.write(1, 10)
        self.assertEqual((store.refused, store.staged), (1, {(1, 20): 1}))


if __name__ == "__main__":
    unittest.main()
