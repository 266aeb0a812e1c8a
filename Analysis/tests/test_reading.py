"""Files plain and packed, files that are broken, and folders however they are laid out."""

import csv
import gzip
import json
import shutil
import tempfile
import unittest
import zipfile
from pathlib import Path

import numpy as np
from synthetic import Scale, Synthetic

from godwit_analysis import details, layout, tables
from godwit_analysis.crowd import crowd
from godwit_analysis.problems import DataError, Findings, MissingData
from godwit_analysis.results import Results, first_from_new_address
from godwit_analysis.schema import EXPECTED, SCHEMAS

TINY = Scale(runs=4, container_runs=1, notification_runs=2, clients=2, seconds_between=5)
PLAIN = "experiment,run,repetition,seed,serviceTimes [us],serverAddresses,protocol\n"
ROW = "0,1,1,1,[20615],['192.168.1.105:6666'],quicBaseline\n"


class Folder(unittest.TestCase):
    def setUp(self):
        self.root = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.root)

    def written(self, policy: str = "thesis", backend: str = "simulated", packed: bool = True) -> Path:
        return Synthetic(self.root, policy, backend, scale=TINY, packed=packed).write()

    def results(self) -> Results:
        return Results(layout.discover(self.root)[0], Findings())

    def edit(self, path: Path, row: int, column: str, text: str) -> None:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        rows[row][rows[0].index(column)] = text
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)


class Everything(Folder):
    def test_every_file_of_a_set_is_expected_and_reads_by_its_schema(self):
        folder = self.written()
        self.assertEqual({name for _, _, name in EXPECTED}, set(SCHEMAS))
        for loss, experiment, name in EXPECTED:
            with self.subTest(f"{loss}/{experiment}/{name}"):
                path = tables.find(folder / loss / experiment, name)
                self.assertIsNotNone(path)
                frame = tables.read(path, name)
                self.assertGreater(len(frame), 0)
                self.assertEqual(list(frame.columns[:-1]), [column.name for column in SCHEMAS[name]])

    def test_columns_are_exactly_those_of_the_synthetic_files(self):
        folder = self.written(packed=False)
        for loss, experiment, name in EXPECTED:
            with self.subTest(name), (folder / loss / experiment / f"{name}.csv").open(newline="") as file:
                self.assertEqual(
                    sorted(next(csv.reader(file))), sorted(column.name for column in SCHEMAS[name])
                )

    def test_a_file_may_be_zipped_by_either_name_or_gzipped(self):
        text = PLAIN + ROW
        for ending in tables.ENDINGS:
            with self.subTest(ending):
                folder = self.root / ending
                folder.mkdir()
                path = folder / f"experiment0_service_times{ending}"
                if ending.endswith("zip"):
                    with zipfile.ZipFile(path, "w") as archive:
                        archive.writestr("experiment0_service_times.csv", text)
                        archive.writestr("__MACOSX/._experiment0_service_times.csv", "")
                else:
                    path.write_bytes(gzip.compress(text.encode()) if ending.endswith("gz") else text.encode())
                self.assertEqual(tables.find(folder, "experiment0_service_times"), path)
                self.assertEqual(
                    list(tables.read(path, "experiment0_service_times")["serviceTimes [us]"][0]), [20615]
                )


class Broken(Folder):
    def refused(self, text: str | bytes, words: str, name: str = "experiment0_service_times.csv") -> None:
        path = self.root / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with self.assertRaisesRegex(DataError, words) as caught:
            tables.read(path, "experiment0_service_times")
        self.assertNotIn("\n", str(caught.exception))

    def test_a_broken_cell_is_named_by_file_row_and_column(self):
        self.refused(
            PLAIN + ROW + ROW.replace("[20615]", "[20615"),
            r'times.csv: row 2: column "serviceTimes \[us\]": ',
        )
        self.refused(
            PLAIN + ROW.replace("0,1,1,1", "0,1,one,1"),
            r'row 1: column "repetition": \'one\' is not a number',
        )

    def test_an_empty_cell_is_refused_where_one_must_be(self):
        self.refused(PLAIN + ROW.replace("quicBaseline", ""), r'row 1: column "protocol": is empty')

    def test_a_missing_column_a_short_row_and_an_empty_file_are_told(self):
        self.refused(PLAIN.replace(",seed", "") + ROW, 'column "seed": the header')
        self.refused(PLAIN + ROW + "0,1,1\n", "row 2: has 3 cells, the header 7")
        self.refused("", "is empty")

    def test_pointers_and_packed_rubbish_are_told(self):
        self.refused("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "pointer of Git LFS")
        self.refused(b"rubbish", "can't be unpacked", "experiment0_service_times.zip")
        self.refused(b"rubbish", "can't be unpacked", "experiment0_service_times.csv.gz")
        self.refused(gzip.compress(b"x" * 9999)[:-9], "can't be unpacked", "experiment0_service_times.csv.gz")
        self.refused(b"\xff\xfe\x00", "not UTF-8")

    def test_an_unfinished_last_line_is_told(self):
        self.refused(PLAIN + ROW + '0,1,2,2,"[206', "row|not CSV")

    def test_an_archive_of_two_tables_is_refused(self):
        path = self.root / "experiment0_service_times.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.csv", PLAIN)
            archive.writestr("b.csv", PLAIN)
        with self.assertRaisesRegex(DataError, "holds 2"):
            tables.read(path, "experiment0_service_times")


class Layouts(Folder):
    def test_policies_and_backends_are_found_in_order(self):
        for policy, backend in (("godwit", "loopback"), ("thesis", "simulated"), ("godwit", "simulated")):
            (self.root / policy / backend / "packetloss").mkdir(parents=True)
        found = [(one.policy, one.backend) for one in layout.discover(self.root)]
        self.assertEqual(found, [("thesis", "simulated"), ("godwit", "simulated"), ("godwit", "loopback")])

    def test_the_published_folder_is_read_as_it_is(self):
        (self.root / "analysis" / "data" / "nopacketloss" / "exp0").mkdir(parents=True)
        (one,) = layout.discover(self.root)
        self.assertEqual((one.policy, one.backend, one.is_virtual), ("thesis", "published", False))

    def test_one_set_may_be_given_by_itself(self):
        folder = self.written()
        (one,) = layout.discover(folder)
        self.assertEqual((one.policy, one.backend), ("thesis", "simulated"))
        self.assertEqual(one.shown_commit([1]), "commit 0123456789ab")

    def test_each_experiment_has_the_commit_of_its_own_environment(self):
        folder = self.written()
        (folder / "environment.json").unlink()
        (folder / "environment_experiment1.json").write_text(
            '{"commit": "aaaa", "dirty": true, "plan": {"title": "One"}}'
        )
        (folder / "environment_experiment2.json").write_text('{"commit": "bbbb", "dirty": false}')
        (one,) = layout.discover(self.root)
        self.assertEqual(one.shown_commit([1]), "commit aaaa with changes")
        self.assertEqual(one.shown_commit([2]), "commit bbbb")
        self.assertEqual(one.shown_commit([3]), "commit not recorded")

    def test_results_that_were_interrupted_have_the_commits_of_all_who_made_them(self):
        folder = self.written()
        (folder / "environment.json").unlink()
        sessions = [
            {"commit": "aaaa", "dirty": False, "startedAt": 1, "commandLine": ["mhq"]},
            {"commit": "bbbb", "dirty": True, "startedAt": 2, "duration": 3.5, "commandLine": ["mhq"]},
            "not a session",
        ]
        content = {"commit": "aaaa", "dirty": False, "earlier": sessions, "startedAt": 9}
        (folder / "environment_experiment1.json").write_text(json.dumps(content))
        (one,) = layout.discover(self.root)
        self.assertEqual(one.shown_commit([1]), "commit aaaa; commit bbbb with changes")
        self.assertIn(("interrupted", "2 times"), one.environments[0].facts)
        for earlier in ([], None, "of another kind"):
            content["earlier"] = earlier
            (folder / "environment_experiment1.json").write_text(json.dumps(content))
            (one,) = layout.discover(self.root)
            self.assertEqual(one.shown_commit([1]), "commit aaaa")
            self.assertEqual(one.environments[0].facts, (("startedAt", "9"),))

    def test_a_broken_environment_file_is_told_and_the_set_is_read(self):
        folder = self.written()
        (folder / "environment.json").write_text("{")
        (one,) = layout.discover(self.root)
        self.assertEqual(one.shown_commit([1]), "commit not recorded")
        self.assertRegex(one.troubles[0], "environment.json: is not JSON")

    def test_rows_beside_the_thesis_s_are_read_with_them(self):
        self.written("godwit")
        moves = self.results().moves("nopacketloss", "exp1")
        self.assertIn("combined", set(moves["protocol"]))
        self.assertTrue(moves.loc[moves["protocol"] == "combined", "extra"].all())
        self.assertFalse(moves.loc[moves["protocol"] == "symmetric", "extra"].any())


class Joins(Folder):
    def test_a_failed_run_keeps_its_row_and_counts_as_failed(self):
        folder = self.written(packed=False)
        path = folder / "nopacketloss/exp1/experiment1_service_times.csv"
        for column in ("serviceTimes [us]", "serverAddresses", "firstRequestAfterMigrationTriggered"):
            self.edit(path, 1, column, "")
        moves = self.results().moves("nopacketloss", "exp1")
        self.assertEqual((len(moves), int(moves["failed"].sum())), (6 * TINY.runs, 1))

    def test_a_row_without_partner_is_named(self):
        folder = self.written(packed=False)
        self.edit(folder / "nopacketloss/exp1/experiment1_service_times.csv", 3, "seed", "999")
        results = self.results()
        with self.assertRaises(MissingData):
            results.moves("nopacketloss", "exp1")
        self.assertRegex(
            results.findings.broken[0], "service_times.csv: row 3: experiment1_migration_times.csv has no row"
        )

    def test_the_same_run_twice_is_named(self):
        folder = self.written(packed=False)
        path = folder / "nopacketloss/exp1/experiment1_service_times.csv"
        for column in ("repetition", "seed"):
            self.edit(path, 2, column, "1")
        results = self.results()
        with self.assertRaises(MissingData):
            results.moves("nopacketloss", "exp1")
        self.assertRegex(
            results.findings.broken[0], "row 2: has the same experiment, run, repetition, seed twice"
        )

    def test_the_request_that_noticed_the_move_is_the_first_from_another_address(self):
        service = np.array([1.0, 1.0, 9.0, 2.0])
        self.assertEqual(first_from_new_address(service, ["a", "a", "b", "b"], 1).index, 2)
        self.assertEqual(first_from_new_address(service, ["a", "a", "b", "b"], 3).index, 3)
        self.assertIsNone(first_from_new_address(service, ["a"] * 4, 1))

    def test_excess_is_over_the_median_of_the_same_loss(self):
        folder = self.written(packed=False)
        path = folder / "packetloss/exp0/experiment0_service_times.csv"
        for row, value in enumerate((20_000, 21_000, 22_000, 900_000), 1):
            self.edit(path, row, "serviceTimes [us]", f"[{value}]")
        self.assertEqual(self.results().plain_ms("packetloss"), 21.5)


class Crowds(Folder):
    def test_rows_join_by_number_and_differing_files_are_refused(self):
        folder = self.written(packed=False)
        path = folder / "nopacketloss/exp4/18ms_rtt/experiment4_migration_times.csv"
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
        results = self.results()
        with self.assertRaises(MissingData):
            crowd(results, "nopacketloss", "18ms_rtt")
        self.assertRegex(
            results.findings.broken[0],
            "service_times.csv: has more rows than experiment4_migration_times.csv",
        )

    def test_lists_of_a_row_must_be_of_one_length(self):
        folder = self.written(packed=False)
        self.edit(
            folder / "nopacketloss/exp4/18ms_rtt/experiment4_service_times.csv", 5, "serverAddresses", "['a']"
        )
        results = self.results()
        with self.assertRaises(MissingData):
            crowd(results, "nopacketloss", "18ms_rtt")
        self.assertRegex(results.findings.broken[0], 'row 5: column "serverAddresses": has 1 elements')

    def test_a_client_that_timed_out_has_failed(self):
        folder = self.written(packed=False)
        path = folder / "nopacketloss/exp4/18ms_rtt/experiment4_service_times.csv"
        self.edit(path, 1, "connectionEndedDueToTimeout", "True")
        for column in (
            "requestTimestamps [us]",
            "serviceTimes [us]",
            "serverAddresses",
            "requestMethods",
            "requestBodySizes [B]",
            "responseBodySizes [B]",
        ):
            self.edit(path, 2, column, "[]")
        self.edit(path, 2, "connectionEndedDueToTimeout", "True")
        clients = crowd(self.results(), "nopacketloss", "18ms_rtt").clients
        self.assertEqual(len(clients), 144 * TINY.clients)
        self.assertEqual([client.timed_out for client in clients[:3]], [True, True, False])
        self.assertTrue(np.isnan(clients[0].affected_ms) and np.isnan(clients[1].affected_ms))
        self.assertFalse(np.isnan(clients[2].affected_ms))


class Details(Folder):
    def test_failed_checks_of_a_run_are_told_once(self):
        folder = self.written(packed=False)
        path = folder / "nopacketloss/exp1/godwit_details.csv"
        self.edit(path, 2, "flaws", "3 datagrams were taken at an address that was left")
        results = self.results()
        details.note_flaws(results)
        details.note_flaws(results)
        place = "thesis, simulated: nopacketloss/exp1: run 2, repetition 1: "
        self.assertEqual(
            results.findings.flaws, [place + "3 datagrams were taken at an address that was left"]
        )

    def test_ends_of_connections_are_counted_by_strategy(self):
        self.written()
        rows = details.rows(self.results())
        self.assertEqual([row[1] for row in rows][:2], ["Proactive Explicit", "Reactive Explicit"])
        self.assertEqual([row[8:10] for row in rows][:2], [[1, "1 × idle timeout"], [0, "–"]])

    def test_the_longest_spans_are_told_by_strategy(self):
        self.written()
        rows = details.rows(self.results())
        self.assertEqual([row[4:7] for row in rows][:2], [[0.29, 0.28, 0.030001], [0.29, 0.28, 0.030002]])

    def test_files_of_earlier_versions_have_no_late_columns(self):
        folder = self.written(packed=False)
        path = folder / "nopacketloss/exp1/godwit_details.csv"
        path.write_text(path.read_text().replace("stallBeyondFreeze [us]", "somethingElse"))
        rows = details.rows(self.results())
        self.assertEqual([row[4:6] for row in rows][:2], [[0.29, 0.28]] * 2)
        self.assertTrue(all(np.isnan(row[6]) for row in rows))
        path.write_text(path.read_text().replace("longestServiceTime [us]", "another"))
        with self.assertRaises(MissingData):
            details.rows(self.results())


if __name__ == "__main__":
    unittest.main()
