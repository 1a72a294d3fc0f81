"""Column mappings: how a supplier's export, with its own headings and words, becomes ours.

Nothing here decides: a mapping is suggested, shown with samples, and checked by a person once.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Mapping as MappingOf
from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from dashboard.intake import gp_contacts, outcomes, referrals
from dashboard.intake.dataset import MOST_CHARACTERS, Template, plain_heading, to_date
from dashboard.intake.local_return import sent_instead
from dashboard.intake.problems import Problem, RefusedError
from dashboard.intake.source import Sheet, Source, tidy_heading
from dashboard.rules.ages import AGE_BANDS, age_band_of

# The datasets that come out of a supplier's system: columns, and headings they are known by.
_TARGETS: dict[str, tuple[Template, MappingOf[str, Sequence[str]]]] = {
    "referrals": (referrals.TEMPLATE, referrals.ALSO),
    "outcomes": (outcomes.TEMPLATE, outcomes.ALSO),
    "gp_contacts": (gp_contacts.TEMPLATE, gp_contacts.ALSO),
}
MAPPED = tuple(_TARGETS)
# Headings that mean the same in ordinary words, beyond those the readers take themselves.
_SAID_AS: dict[str, tuple[str, ...]] = {
    "reference": ("case_id", "case_reference", "case_number", "episode_id", "client_id"),
    "received": ("referred_on", "date_of_referral", "referral_received_date"),
    "ward_code": ("electoral_ward", "ward_of_residence"),
    "lsoa_code": ("lsoa_of_residence",),
    "pcn_code": ("primary_care_network",),
    "practice_code": ("gp_practice", "surgery_code", "ods_code", "registered_practice"),
    "source": ("referrer_type", "referred_by", "referring_organisation_type"),
    "reasons": ("presenting_needs", "presenting_issues", "referral_needs", "needs"),
    "long_term_conditions": ("ltcs", "number_of_ltcs", "ltc_count"),
    "age": ("age_at_referral",),
    "sex": ("gender",),
    "first_contact": ("first_appointment", "first_seen", "date_first_seen"),
    "plan_agreed": ("personalised_plan", "care_plan", "support_plan"),
    "connected": ("onward_referral", "signposted"),
    "closed": ("discharged", "discharge_date", "case_closed"),
    "closed_reason": ("discharge_reason", "closure_reason", "reason_for_closure"),
    "measure": ("tool", "scale", "outcome_tool", "assessment"),
    "point": ("stage", "assessment_stage", "timepoint"),
    "date": ("assessment_date", "date_completed", "completed_on"),
    "item": ("domain", "question_name"),
    "score": ("value", "response", "result"),
}
# Words that make no difference to what a heading is.
_FILLERS = frozenset(
    {"date", "on", "of", "by", "the", "at", "to", "code", "in", "was", "is", "referral", "case"}
)
# Our agreed words, by dataset and column: what a supplier's words are translated to.
AGREED_WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "referrals": {
        "source": referrals.SOURCES,
        "reasons": referrals.REASONS,
        "age_band": AGE_BANDS,
        "sex": ("female", "male", "not stated"),
    },
    "outcomes": {"measure": tuple(outcomes.MEASURES), "point": outcomes.POINTS},
}
_WORDS: dict[str, tuple[str, ...]] = {
    "GP": ("general practitioner", "general practice", "gp practice", "surgery", "doctor"),
    "nurse": ("practice nurse", "district nurse", "community nurse", "nursing"),
    "hospital": ("acute", "acute trust", "secondary care", "a&e", "accident and emergency"),
    "council": ("local authority", "adult social care", "social services", "social care"),
    "self": ("self referral", "self referred", "patient", "own referral"),
    "VCSE": ("voluntary sector", "vcs", "charity", "third sector", "community organisation"),
    "start": ("baseline", "initial", "pre", "first", "entry", "before"),
    "end": ("final", "post", "last", "exit", "discharge", "closing", "completion", "after"),
    "follow-up": ("follow up", "followup", "review", "later"),
    "long-term condition": ("ltc", "long term health condition", "chronic condition"),
    "alcohol or smoking": ("alcohol", "smoking", "substance misuse", "drugs and alcohol"),
    "mental health": ("anxiety", "depression", "low mood", "mental wellbeing"),
    "loneliness": ("lonely", "isolation", "social isolation"),
    "complex social need": ("complex needs", "complex need"),
    "money": ("money and debt", "debt", "finance", "finances", "welfare benefits", "benefits"),
    "housing": ("homelessness", "accommodation"),
    "carers": ("carer", "carer support", "caring responsibilities"),
    "physical activity": ("exercise", "fitness", "weight management"),
    "female": ("f", "woman"),
    "male": ("m", "man"),
    "not stated": ("not known", "unknown", "not recorded", "prefer not to say", "u"),
    "filled": ("in post", "occupied"),
    "vacant": ("vacancy", "unfilled", "empty"),
    "recruiting": ("advertised", "out to advert", "in recruitment"),
    "ended": ("closed", "discontinued"),
    "SWEMWBS": ("short wemwbs", "short warwick edinburgh mental wellbeing scale"),
    "UCLA-3": ("ucla", "ucla loneliness", "ucla loneliness scale"),
    "ONS4": ("ons", "ons wellbeing", "ons personal wellbeing"),
    "PAM": ("patient activation measure", "pam 13"),
    "MYCaW": ("measure yourself concerns and wellbeing",),
}
# Nothing is suggested below this: a wrong suggestion costs more than none.
LEAST_CONFIDENCE = 0.6
# A column with more different values than this does not hold agreed words.
MOST_WORDS = 40
# Texts less alike than this differ by more than a slip of the pen.
LEAST_ALIKE = 0.85


@dataclass(frozen=True)
class Suggestion:
    """A heading that may be the column, how sure that is (0 to 1), and why it is thought so."""

    heading: str
    confidence: float
    why: str


@dataclass(frozen=True)
class Mapping:
    """For each of our columns their heading, and where words differ, theirs to ours."""

    dataset: str
    columns: dict[str, str]
    words: dict[str, dict[str, str]] = field(default_factory=dict)

    def to_json(self) -> str:
        """The mapping as it is kept."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Mapping:
        """The mapping that was kept; `ValueError` when the text is not one."""
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError("not a column mapping: the text is not JSON") from error
        if not isinstance(found, dict) or set(found) != {"dataset", "columns", "words"}:
            raise ValueError("not a column mapping: expected dataset, columns and words")
        if not isinstance(found["dataset"], str):
            raise ValueError("not a column mapping: dataset is not a text")
        if not _are_texts(found["columns"]):
            raise ValueError("not a column mapping: columns are not texts by column")
        words = found["words"]
        if not isinstance(words, dict) or not all(map(_are_texts, words.values())):
            raise ValueError("not a column mapping: words are not texts by word and column")
        return cls(**found)


def _are_texts(found: object) -> bool:
    return isinstance(found, dict) and all(isinstance(text, str) for text in found.values())


def fingerprint(headings: Iterable[str]) -> str:
    """The same for the same set of headings in any order and case: a saved mapping fits again."""
    plain = sorted({tidy_heading(heading).casefold() for heading in headings} - {""})
    return hashlib.sha256(json.dumps(plain).encode()).hexdigest()


def suggest(headings: Sequence[str], dataset: str) -> dict[str, Suggestion]:
    """For each of our columns the heading most like it; no heading twice, none that names a
    person, and no column without a heading that is like enough.

    `ValueError` for a dataset that is not loaded through a mapping.
    """
    if dataset not in _TARGETS:
        raise ValueError(f"{dataset!r} is not loaded through a mapping")
    template, also = _TARGETS[dataset]
    possible = [
        (column.name, _likeness(heading, column.name, also.get(column.name, ())))
        for column in template.columns
        for heading in dict.fromkeys(headings)
        if heading and not sent_instead(heading)
    ]
    found: dict[str, Suggestion] = {}
    used = set()
    # The surest first; of equally sure ones the first column, then the first heading.
    for column, suggestion in sorted(possible, key=lambda pair: -pair[1].confidence):
        if suggestion.confidence < LEAST_CONFIDENCE:
            break
        if column not in found and suggestion.heading not in used:
            found[column] = suggestion
            used.add(suggestion.heading)
    return found


def _likeness(heading: str, column: str, also: Sequence[str]) -> Suggestion:
    plain = _plain(heading)
    if plain == column:
        return Suggestion(heading, 1.0, "the same heading")
    if plain in map(plain_heading, also):
        return Suggestion(heading, 0.95, f"another heading for {column}")
    said_as = _SAID_AS.get(column, ())
    if plain in said_as:
        return Suggestion(heading, 0.92, f"often said for {column}")
    best = Suggestion(heading, 0.0, "nothing alike")
    for name in (column, *also, *said_as):
        theirs, ours = _telling_words(plain), _telling_words(plain_heading(name))
        shared = round(0.9 * len(theirs & ours) / max(len(theirs | ours), 1), 2)
        if shared > best.confidence:
            words = ", ".join(sorted(theirs & ours))
            best = Suggestion(heading, shared, f"shares {words} with {name}")
        alike = _alike(plain, plain_heading(name))
        if alike >= LEAST_ALIKE and round(0.85 * alike, 2) > best.confidence:
            best = Suggestion(heading, round(0.85 * alike, 2), f"spelt nearly as {name}")
    return best


def _plain(heading: str) -> str:
    # "ReferralDate" is two words.
    return plain_heading(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", heading))


def _telling_words(plain: str) -> set[str]:
    words = set(plain.split("_")) - {""}
    return (words - _FILLERS) or words


def _alike(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()


def suggest_words(values: Iterable[str], allowed: Sequence[str]) -> dict[str, str | None]:
    """For each of their words ours, or `None` where a person has to say which it is."""
    known: dict[str, str] = {}
    for word in allowed:
        for said in (word, *_WORDS.get(word, ())):
            known.setdefault(_spoken(said), word)
    bands = set(allowed) == set(AGE_BANDS)
    return {
        value: _band_holding(value) if bands else _word_for(value, known)
        for value in dict.fromkeys(values)
        if value.strip()
    }


def _spoken(word: str) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", word.replace("&", " and ")).casefold().split())


def _word_for(value: str, known: MappingOf[str, str]) -> str | None:
    spoken = _spoken(value)
    if spoken in known:
        return known[spoken]
    near = difflib.get_close_matches(spoken, known, n=1, cutoff=LEAST_ALIKE)
    if near:
        return known[near[0]]
    # "GP (North surgery)" says GP, and nothing else that is agreed.
    said = {ours for words, ours in known.items() if f" {words} " in f" {spoken} "}
    return said.pop() if len(said) == 1 else None


def _band_holding(value: str) -> str | None:
    """The age band in which all ages lie that a text such as "18 to 24" or "under 18" names."""
    spoken = value.strip().casefold()
    ages = [int(number) for number in re.findall(r"(?<!\d)\d{1,3}(?!\d)", spoken)]
    if len(ages) == 1:
        if re.search(r"under|below|younger|<", spoken):
            ages = [0, ages[0] - ("=" not in spoken and "and under" not in spoken)]
        elif re.search(r"\+|over|above|older|more|plus|>", spoken):
            ages = [ages[0], referrals.OLDEST]
    bands = {age_band_of(age) for age in ages if age >= 0}
    return bands.pop() if len(bands) == 1 and len(ages) in (1, 2) else None


# Headings that end so stand over references or people, whatever the values look like.
_TELLING = re.compile(
    r"(^|_)(ids?|refs?|reference|number|no|num|identifier|key|uuid|"
    r"patient|client|person|user|worker|carer|referrer)$"
)
_POSTCODE = re.compile(r"\b[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}\b", re.IGNORECASE)
_TITLED = re.compile(r"\b(mr|mrs|ms|miss|mx|dr|prof)\b\.? ", re.IGNORECASE)
_MOST_DIGITS = 8  # a date as 20260630; more are a telephone or NHS number


def samples(sheet: Sheet, heading: str, most: int = 3) -> list[str]:
    """Up to so many different values of a column, for a person to see what it holds.

    What may say who a person is shows as its length only: references, and whatever has such
    a heading or looks like a number of a person, an address or a note.
    """
    place = _place_of(sheet, heading)
    if place is None:
        return []
    values: dict[str, None] = {}
    with closing(sheet.blocks()) as blocks:
        for block in blocks:
            values |= dict.fromkeys(value for value in block.iloc[:, place].unique() if value)
            if len(values) >= most:
                break
    hidden = _is_of_persons(heading)
    return [
        f"hidden ({len(value)} characters)" if hidden or _may_name(value) else value
        for value in list(values)[:most]
    ]


def described(source: Source) -> list[dict[str, Any]]:
    """What a person needs to tell which column is what: for each heading of the first table
    its samples, and its different words where they are few and name nobody."""
    found = []
    for sheet in source.sheets[:1]:
        with closing(sheet.blocks()) as blocks:
            first = next(blocks)
        for place, heading in enumerate(sheet.headings):
            words = sorted(word for word in first.iloc[:, place].unique() if word)
            tells = _is_of_persons(heading) or any(map(_may_name, words))
            few = [] if tells or len(words) > MOST_WORDS else words
            found.append({"heading": heading, "samples": samples(sheet, heading), "words": few})
    return found


def _is_of_persons(heading: str) -> bool:
    is_reference = any(
        _likeness(heading, "reference", also.get("reference", ())).confidence >= LEAST_CONFIDENCE
        for _template, also in _TARGETS.values()
    )
    return bool(sent_instead(heading) or is_reference or _TELLING.search(_plain(heading)))


def _may_name(value: str) -> bool:
    digits = sum(character.isdigit() for character in value)
    return bool(
        "@" in value
        or _POSTCODE.search(value)
        or _TITLED.search(value)
        or len(value) > MOST_CHARACTERS
        or (digits > _MOST_DIGITS and to_date(value) is None)
    )


def _place_of(sheet: Sheet, heading: str) -> int | None:
    """Where a heading stands: as it is written, else in whatever case; `None` if not once."""
    for form in (str, str.casefold):
        wanted = form(tidy_heading(heading))
        places = [place for place, found in enumerate(sheet.headings) if form(found) == wanted]
        if places:
            return places[0] if len(places) == 1 else None
    return None


def apply(found: Source | Sheet, mapping: Mapping) -> Sheet:
    """The sheet with our headings and words, and no column that is not mapped.

    Of a file the first sheet that has every mapped heading. What is not mapped is not read,
    so whoever calls this has looked for NHS numbers in the whole file. `RefusedError` when a heading is
    missing or stands more than once.
    """
    if isinstance(found, Sheet):
        return _applied(found, mapping, found.name)
    for sheet in found.sheets:
        if all(_place_of(sheet, heading) is not None for heading in mapping.columns.values()):
            return _applied(sheet, mapping, found.name)
    if not found.sheets:
        raise RefusedError(found.name, [Problem("expected a table: a mapping is of its columns")])
    return _applied(found.sheets[0], mapping, found.name)


def _applied(sheet: Sheet, mapping: Mapping, name: str) -> Sheet:
    places = {ours: _place_of(sheet, theirs) for ours, theirs in mapping.columns.items()}
    rule = "the mapping needs this column, and it is missing or stands more than once"
    problems = [
        Problem(rule, column=mapping.columns[ours])
        for ours, place in places.items()
        if place is None
    ]
    if problems:
        raise RefusedError(name, problems)
    kept = [place for place in places.values() if place is not None]
    translate = {ours: _translation(words) for ours, words in mapping.words.items()}

    def read() -> Iterator[pd.DataFrame]:
        row = sheet.heading_row + 1
        for block in sheet.blocks():
            mapped = block.iloc[:, kept].set_axis(list(places), axis=1)
            for ours in mapped.columns.intersection(list(translate)):
                each = {text: translate[ours](text) for text in mapped[ours].unique()}
                mapped[ours] = mapped[ours].map(each).astype("str")
            # Blank rows were left out, and every row keeps its number in the file.
            last = block.index[-1] + 1 if len(block) else row
            yield mapped.reindex(pd.RangeIndex(row, last), fill_value="")
            row = last

    return Sheet(sheet.name, list(places), sheet.heading_row, read)


def _translation(words: MappingOf[str, str]) -> Callable[[str], str]:
    """Our word for theirs, in whatever case; in a cell of several words for each of them."""
    exactly = {theirs.strip(): ours for theirs, ours in words.items()}
    in_any_case = {theirs.casefold(): ours for theirs, ours in exactly.items()}

    def of_word(word: str) -> str | None:
        return exactly.get(word, in_any_case.get(word.casefold()))

    def of_entry(entry: re.Match[str]) -> str:
        ours = of_word(entry[0])
        return entry[0] if ours is None else ours

    def translate(text: str) -> str:
        whole = of_word(text)
        # Each entry between the separators, without the spaces around it.
        return re.sub(r"[^;|\s]([^;|]*[^;|\s])?", of_entry, text) if whole is None else whole

    return translate
