"""Planners at work: each looks, draws, saves, proposes, decides on what others propose, and copes with their haste."""

from __future__ import annotations

import json
import queue
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from geo.core.partition import Partition, from_json
from tests.load.client import Answer, Client
from tests.load.drawing import Intention, attempted, changed, intention

NEIGHBOURS = 10
"""Among how many places around home a person draws."""

OPENING_S = 0.2
"""After each other, people open the city on their screens before the time begins."""

MOST_TRIES = 4
"""How often a person does an edit again that others overtook."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a process of editors is told."""

    address: tuple[str, int]
    city: str
    people: tuple[dict[str, str], ...]
    numbers: tuple[int, ...]
    n_homes: int
    think_s: float
    begin: float
    until: float
    seed: int


@dataclass(frozen=True, slots=True)
class Screen:
    """What a person has before them: boundaries, and what is known of each place."""

    partition: Partition
    facts: dict[str, dict[str, Any]]


@dataclass(slots=True)
class Draft:
    """A change set that a person works on: what was there before it, what is drawn, and its version."""

    number: int
    version: int
    screen: Screen
    drawn: Partition
    froms: dict[str, tuple[str, ...]]


@dataclass
class Editor:
    """One person."""

    client: Client
    task: Task
    number: int
    proposals: Any
    handed_over: Any
    rng: random.Random
    screen: Screen | None = None
    etag: str = ""
    draft: Draft | None = None
    n_edits: int = 0
    home: tuple[float, float] | None = field(default=None)

    def work(self) -> None:
        """Go on until the time is over."""
        time.sleep(OPENING_S * self.number)
        self.look("open")
        time.sleep(max(0.0, self.task.begin - time.monotonic()))
        # People do not begin at one stroke.
        self.think(self.rng.uniform(0, 1))
        while time.monotonic() < self.task.until:
            self.turn()
            self.think(self.rng.uniform(0.5, 1.5))

    def think(self, times: float) -> None:
        """Draw and think for some time, but not beyond the end."""
        time.sleep(max(0.0, min(times * self.task.think_s, self.task.until - time.monotonic())))

    def turn(self) -> None:
        """Do one thing, and then perhaps look at what somebody proposes."""
        given = _taken(self.handed_over) if self.rng.random() < 0.7 else None
        if given is not None:
            self.take_over(given)
        elif self.draft is not None:
            self.go_on()
        else:
            self.begin()
        if self.rng.random() < 0.75:
            self.decide()

    # ---- looking

    def look(self, what: str = "read") -> Screen | None:
        """Read the city, or keep what is on the screen where it has not changed."""
        answer = self.client.ask(what, "GET", f"/api/v1/cities/{self.task.city}/partition", etag=self.etag)
        if answer.status == 200:
            self.screen = Screen(from_json(answer.body["partition"]), answer.body["places"])
            self.etag = answer.etag
        return self.screen if answer.status in (200, 304) else None

    def near(self, partition: Partition) -> list[str]:
        """Return the places around home, the nearest first; homes lie side by side in the middle of the city."""
        codes = list(partition.faces)
        centres = shapely.get_coordinates(shapely.centroid(np.array([partition.polygons[c] for c in codes])))
        if self.home is None:
            middle = np.median(centres, axis=0)
            homes = np.argsort(np.hypot(*(centres - middle).T))[: self.task.n_homes]
            x, y = centres[homes[self.number % len(homes)]].tolist()
            self.home = (x, y)
        order = np.argsort(np.hypot(*(centres - np.array(self.home)).T))
        return [codes[index] for index in order[:NEIGHBOURS]]

    def idea(self, partition: Partition, among: list[str] | None = None) -> Intention | None:
        """Think of something that can be drawn."""
        for attempt in range(8):
            code = f"e{self.number:02}-{self.n_edits}-{attempt}"
            meant = intention(partition, among or self.near(partition), self.rng, code)
            if meant is not None and attempted(partition, meant) is not None:
                return meant
        return None

    # ---- drawing

    def begin(self) -> None:
        """Draw something new and save it; where others were faster, read again and draw it again."""
        if (self.screen is None or self.rng.random() < 0.3) and self.look() is None:
            return
        assert self.screen is not None
        meant = self.idea(self.screen.partition)
        for attempt in range(MOST_TRIES):
            drawn = attempted(self.screen.partition, meant) if meant else None
            if meant is None or drawn is None:
                return  # what was meant makes no sense any more
            froms = {code: meant.from_codes(code) for code in drawn.faces if meant.from_codes(code)}
            answer = self.save(self.screen, drawn, froms, None, is_again=attempt > 0)
            if answer is None:
                return
            if answer.is_ok:
                number, version = answer.body["id"], answer.body["version"]
                self.after_save(Draft(number, version, self.screen, drawn, froms))
                return
            if answer.is_unsettled:
                time.sleep(self.rng.uniform(0.3, 1.0))
            elif answer.status != 409 or self.look("read again") is None:
                return

    def go_on(self) -> None:
        """Draw one thing more into the change set at hand."""
        draft = self.draft
        assert draft is not None
        self.add_to(draft, self.idea(draft.drawn))

    def take_over(self, number: int) -> None:
        """Go on with a change set that somebody handed over, who may be drawing in it too."""
        draft = self.opened(number)
        if draft is None:
            return
        touched = changed(draft.screen.partition, draft.drawn)
        among = sorted({*touched, *self.near(draft.drawn)} & draft.drawn.faces.keys())
        self.add_to(draft, self.idea(draft.drawn, among))

    def opened(self, number: int, what: str = "read set") -> Draft | None:
        """Read a change set as it is: the city below it, its drafts, and the version."""
        found = self.client.ask(what, "GET", f"/api/v1/change-sets/{number}")
        if not found.is_ok or found.body["status"] not in ("draft", "returned") or self.look() is None:
            return None
        path = f"/api/v1/cities/{self.task.city}/partition?change_set={number}"
        shown = self.client.ask(what, "GET", path)
        if not shown.is_ok or self.screen is None:
            return None
        facts = shown.body["places"]
        froms = {code: tuple(fact["from"]) for code, fact in facts.items() if fact["from"]}
        # The editions that the set is based on, which are perhaps not in force any more: then its save is refused.
        bases = {one["code"]: {"edition": one["base_edition_id"]} for one in found.body["changes"]}
        below = Screen(self.screen.partition, self.screen.facts | bases)
        return Draft(number, found.body["version"], below, from_json(shown.body["partition"]), froms)

    def add_to(self, draft: Draft, meant: Intention | None) -> None:
        """Draw into a change set and save it under the version that was read."""
        for attempt in range(MOST_TRIES):
            drawn = attempted(draft.drawn, meant) if meant else None
            if meant is None or drawn is None:
                self.draft = None
                return
            froms = draft.froms | {code: meant.from_codes(code) for code in drawn.faces if meant.from_codes(code)}
            answer = self.save(draft.screen, drawn, froms, draft, is_again=attempt > 0)
            if answer is None:
                self.draft = None
                return
            if answer.is_ok:
                self.after_save(Draft(draft.number, answer.body["version"], draft.screen, drawn, froms))
                return
            if answer.is_unsettled:
                time.sleep(self.rng.uniform(0.3, 1.0))
            elif answer.status == 412:
                # Somebody else saved it: theirs is read, and mine drawn into theirs.
                again = self.opened(draft.number, "read set again")
                if again is None:
                    self.draft = None
                    return
                draft = again
            else:
                # What it is based on is gone: given up, theirs is kept.
                self.draft = None
                if answer.status == 409 and answer.code == "stale_edit":
                    self.step(draft.number, "withdraw", draft.version)
                return

    def save(
        self,
        screen: Screen,
        drawn: Partition,
        froms: dict[str, tuple[str, ...]],
        draft: Draft | None,
        *,
        is_again: bool,
    ) -> Answer | None:
        """Send all that differs from what is in force; None where nothing does."""
        codes = changed(screen.partition, drawn)
        if not codes:
            return None
        self.n_edits += 1
        mark = f"{self.client.user} {self.n_edits}"
        shapes = {code: drawn.polygons.get(code) for code in codes}
        edits = [
            {
                "code": code,
                "base_edition_id": screen.facts[code]["edition"] if code in screen.facts else None,
                "geometry": json.loads(shapely.to_geojson(shape)) if shape is not None else None,
                "from": [c for c in froms.get(code, ()) if c in screen.partition.faces],
                "name_fa": "" if code in screen.facts else f"محلهٔ {code}",
                "name_en": "" if code in screen.facts else f"Quarter {code}",
                "source": mark,
            }
            for code, shape in shapes.items()
        ]
        sent = {code: shapely.to_wkb(shape, hex=True) if shape is not None else None for code, shape in shapes.items()}
        body = {"title": mark, "edits": edits}
        more: dict[str, Any] = {"mark": mark, "sent": sent, "is_again": is_again}
        if draft is None:
            return self.client.ask("save", "POST", f"/api/v1/cities/{self.task.city}/change-sets", body, **more)
        path = f"/api/v1/change-sets/{draft.number}"
        return self.client.ask("save", "PUT", path, body, version=draft.version, based_on=draft.version, **more)

    def after_save(self, draft: Draft) -> None:
        """Propose it, keep it for more, hand it over, or both keep it and hand it over."""
        fate = self.rng.random()
        self.draft = draft if fate > 0.6 else None
        if fate < 0.55:
            answer = self.step(draft.number, "propose", draft.version)
            if answer.is_ok:
                self.proposals.put((draft.number, answer.body["version"], self.client.user))
        elif fate < 0.8:
            self.handed_over.put(draft.number)

    # ---- deciding

    def step(self, number: int, what: str, version: int, comment: str = "") -> Answer:
        """Take a step with a change set."""
        path = f"/api/v1/change-sets/{number}/{what}"
        return self.client.ask(
            what, "POST", path, {"comment": comment}, version=version, target=number, based_on=version
        )

    def decide(self) -> None:
        """Look at what somebody else proposes, and approve or return it."""
        given = _taken(self.proposals)
        if given is None:
            return
        number, version, author = given
        if author == self.client.user:
            self.proposals.put(given)
            return
        shown = self.client.ask("read diff", "GET", f"/api/v1/change-sets/{number}/diff")
        if shown.is_unsettled:
            self.proposals.put(given)
            return
        if self.rng.random() < 0.2:
            answer = self.step(number, "return", version, "بازبینی شود")
            if answer.is_ok:
                self.handed_over.put(number)
            return
        answer = self.step(number, "approve", version)
        if answer.is_unsettled:
            self.proposals.put(given)  # if it was done after all, the next one is told so
        elif answer.status == 409 and answer.code in ("stale_edit", "topology_refused"):
            back = self.step(number, "return", version, "مرز تغییر کرده است")
            if back.is_ok:
                self.step(number, "withdraw", back.body["version"])
        elif answer.status == 403:
            self.proposals.put(given)  # drawn by this person among others: somebody else decides


def _taken(waiting: Any) -> Any:
    try:
        return waiting.get_nowait()
    except queue.Empty:
        return None


def run(task: Task, proposals: Any, handed_over: Any, told: Any) -> None:
    """Let the editors of one process work, each in a thread, and put what they recorded into ``told``."""
    editors = [
        Editor(
            Client(task.address, person["user"], person["session"]),
            task,
            number,
            proposals,
            handed_over,
            random.Random(f"{task.seed} {number}"),
        )
        for number, person in zip(task.numbers, task.people, strict=True)
    ]
    faults: list[str] = []

    def working(editor: Editor) -> None:
        try:
            editor.work()
        except Exception as error:  # noqa: BLE001 - told at the end, or it would be lost with the thread
            import traceback

            faults.append(f"{editor.client.user}: {error!r}\n{traceback.format_exc()}")

    threads = [threading.Thread(target=working, args=(editor,)) for editor in editors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told.put(([record for editor in editors for record in editor.client.records], faults))
    # What is left waiting belongs to nobody: without this the process would wait for somebody to take it.
    proposals.cancel_join_thread()
    handed_over.cancel_join_thread()
