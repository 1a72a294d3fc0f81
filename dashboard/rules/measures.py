"""What each figure means: the one place that the help texts and the Methods page are made from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """A figure's definition: how it is worked out, in which unit, from which source."""

    name: str
    title: str
    definition: str
    formula: str
    unit: str
    source: str
    caution: str = ""


MEASURES = {
    measure.name: measure
    for measure in (
        Measure(
            "change",
            "Change since the last meeting",
            "What stands otherwise than when the last meeting was closed, or on a chosen day: "
            "provision, take-up, targets, control charts, services, funding, returns, corrections.",
            "ranked by how unusual it is (-log10 of the chance, at most 6) times log10 of 10 and the "
            "people it touches. Of a signal the chance is that of its rule; of a correction that of "
            "a Poisson number so far from the old one; of all others the share of what was looked "
            "at that changed alike",
            "changes, in order",
            "all files in force then and now",
            "Held back: take-up whose smoothed ratio moved by less than 10 in 100, FTE by less than "
            "0.1, services with fewer than 5 places, signals that go on from before.",
        ),
        Measure(
            "status",
            "Provision status",
            "Whether people of the ward can be referred, met by a link worker and connected to "
            "something. The first line that holds, from the worst.",
            "no return if nobody told us; no provision without a route in; no link worker; nothing "
            "to refer to; not reached with no referral in 12 months; low, as expected or high "
            "take-up against the 95% limits of the expected number",
            "one of ten words",
            "the three components and the referral returns",
            "A component nobody told us about stops the judgement: it is never counted as missing.",
        ),
        Measure(
            "route_in",
            "Route in",
            "A social prescribing scheme takes referrals for people of this ward.",
            "as a scheme-area return says, inside the area it speaks for; elsewhere inferred: "
            "present where a PCN with a link worker serves the ward, absent where every PCN serving "
            "it returned its workforce without one",
            "present, area-wide only, absent or no return",
            "scheme-area returns; published workforce",
            "Inferred routes are marked: nobody has confirmed them.",
        ),
        Measure(
            "link_worker",
            "Link worker",
            "A PCN that serves the ward has a social prescribing link worker in post.",
            "FTE above 0 in a PCN that holds at least the stated share of the ward's registered people",
            "present, absent or no return",
            "published national workforce series, role 'Social Prescribing Link Workers' exactly",
            "A PCN without a row has not returned. That is not the same as having nobody.",
        ),
        Measure(
            "services",
            "Something to refer to",
            "An open service, confirmed in the last 12 months, that serves the ward.",
            "its area names the ward or its district (present), or the whole board, or it is online "
            "(area-wide only); only unconfirmed entries are stale",
            "present, area-wide only, stale, absent or no return",
            "services returns",
            "Where services were never returned for the board, this is no return, not absent.",
        ),
        Measure(
            "population",
            "Population",
            "People who live in the ward, and adults (18 and over) where the file has ages.",
            "as published, joined by ward code, never by name",
            "people",
            "Office for National Statistics, ward population estimates",
            "Ward codes change: a population on older codes is missing for redrawn wards, not guessed.",
        ),
        Measure(
            "deprivation",
            "Deprivation",
            "How deprived the ward's neighbourhoods are, as a national fifth; 1 is most deprived.",
            "mean of the national ranks of the ward's LSOAs, weighted by registered patients where "
            "these are known by LSOA, else unweighted; the fifth of that mean",
            "1 to 5",
            "English Indices of Deprivation, File 1",
            "There is no official ward figure: this one is ours.",
        ),
        Measure(
            "fte_per_10k",
            "Link workers per 10,000",
            "Full-time equivalent link workers for every 10,000 people of the ward.",
            "sum over PCNs of the share of the PCN's list that lives in the ward x the PCN's FTE, "
            "over the ward's population x 10,000",
            "FTE per 10,000 people; 1.0 FTE is 37.5 hours",
            "published national workforce series; registered patients by LSOA",
            "Where registered patients by LSOA are not loaded, shares are modelled from practice "
            "location and list size with distance, and marked so.",
        ),
        Measure(
            "referrals_12_months",
            "Referrals",
            "Referrals received for people of the ward in the last 12 months returned.",
            "count by month received; small numbers hidden and others rounded as the disclosure profile says",
            "referrals",
            "referral returns",
            "A ward served by a PCN that sent no return has no number.",
        ),
        Measure(
            "take_up_per_1000",
            "Take-up",
            "Referrals in 12 months for every 1,000 adults.",
            "rounded referrals over adults x 1,000, with Byar's 95% interval (exact below 10)",
            "per 1,000 adults; per 1,000 people where the population has no ages",
            "referral returns; ward population",
        ),
        Measure(
            "take_up_ratio",
            "Take-up ratio",
            "Referrals against the number expected if the ward's people were referred at the "
            "board's own rates.",
            "observed over expected x 100; expected by indirect standardisation for age band and "
            "deprivation fifth, population alone where these are not known",
            "100 is as expected",
            "referral returns; ward population; deprivation",
            "Low and high are judged on the rounded number against exact Poisson 95% limits.",
        ),
        Measure(
            "fte_in_post",
            "FTE in post",
            "Full-time equivalent link workers in post at the census, own staff and contracted.",
            "sum of FTE of the role 'Social Prescribing Link Workers' exactly; a network that "
            "returned staff and none of these has no worker, one without a row has not returned",
            "FTE; 1.0 FTE is 37.5 hours",
            "published national workforce series",
            "Never mixed with the local return of posts: the two count differently.",
        ),
        Measure(
            "headcount",
            "Headcount",
            "Directly employed link workers as people.",
            "distinct identifiers of own staff; who works in two networks counts once in their sum",
            "people",
            "published national workforce series",
            "Contracted services are published as FTE without people.",
        ),
        Measure(
            "funded_posts",
            "Funded posts",
            "Link-worker posts with money, filled or not.",
            "sum of the funded FTE of posts that are filled, vacant or in recruitment at the date",
            "FTE",
            "local return of posts",
            "A post without a funded FTE counts as a post and adds no FTE.",
        ),
        Measure(
            "vacancy",
            "Vacant",
            "Funded posts that nobody holds, and for how long.",
            "funded FTE of posts vacant or in recruitment; days since the state began, the longest",
            "FTE; days",
            "local return of posts",
        ),
        Measure(
            "target",
            "Target or plan",
            "The FTE a network is meant to have.",
            "the local target in force at the date; where there is none, the recruitment plan for "
            "the month",
            "FTE",
            "local targets; recruitment plan",
            "No target for a single network is published. The commitment of one link worker in each "
            "network was for 2019/20 and is not judged any more.",
        ),
        Measure(
            "gap",
            "Short of target or plan",
            "How much is missing to the target or plan; below 0 there is more than that.",
            "target or plan - FTE in post",
            "FTE",
            "local targets or recruitment plan; published national workforce series",
        ),
        Measure(
            "fte_per_10k_patients",
            "FTE per 10,000 patients",
            "FTE in post for every 10,000 people on the network's list.",
            "FTE in post / registered patients x 10,000; per 50,000 likewise",
            "FTE per 10,000 (50,000) registered patients",
            "published national workforce series; list sizes",
        ),
        Measure(
            "pressure",
            "Pressure",
            "New referrals in a year for each FTE, beside the 200 to 250 people a year that national "
            "guidance gives for one link worker.",
            "referrals in 12 months, rounded or hidden as the disclosure profile says / mean FTE in "
            "post in the months returned, at least half of the 12",
            "referrals per FTE per year",
            "referral returns; published national workforce series",
            "That the guidance means a full-time worker is our reading. No FTE is 'no worker', never "
            "a ratio.",
        ),
        Measure(
            "needed",
            "Link workers needed",
            "The FTE that would bring the network into the band at the referrals it has.",
            "referrals in 12 months / 250 to referrals / 200; further FTE are those short of the first",
            "FTE",
            "referral returns; published national workforce series",
            "Referrals follow workers too: a network without one may be sent few people.",
        ),
        Measure(
            "open_caseload",
            "Open caseload",
            "Referrals open now for each FTE.",
            "referrals received less those declined or closed, to the end of the newest month told / "
            "FTE in post",
            "open referrals per FTE",
            "referral returns; published national workforce series",
            "Not comparable with the yearly figure. A referral nobody closes stays open.",
        ),
        Measure(
            "control_chart",
            "Control chart",
            "Which months are more than chance: an XmR chart to the rules of NHS England's Making "
            "Data Count.",
            "mean +- 2.66 x mean moving range; a point outside, 6 on one side of the mean, 6 rising "
            "or falling, 2 of 3 beyond two thirds of the way to a limit",
            "special cause or common cause",
            "NHS England, Making Data Count",
            "Fewer than 13 months are shown without limits and are not judged.",
        ),
        Measure(
            "projection",
            "Projection",
            "Where FTE goes if it changes as in the last 12 months.",
            "last month + months ahead x mean monthly net change; 95% range of a random walk with "
            "drift (Student's t)",
            "FTE",
            "published national workforce series",
            "A projection of what was, not a forecast of what is planned.",
        ),
        Measure(
            "provision_by_need",
            "Provision by deprivation",
            "Whether the more deprived have more link workers or fewer.",
            "FTE of each network shared out over its patients by fifth of deprivation of their ward, "
            "per 10,000; slope index: fitted rate at the most deprived end less the least deprived",
            "FTE per 10,000 patients",
            "published national workforce series; registered patients; English Indices of Deprivation",
            "Shares are today's for all months. Networks without a return leave with their patients.",
        ),
        Measure(
            "need_met",
            "Need met in a ward",
            "What there is in a ward for one need; a service for another need does not count. The "
            "first line that holds.",
            "served where a service of the ward's own has room; area-wide or online only, where one of "
            "those has; full where all that there are are full; stale only, where nobody confirmed "
            "what there is; none",
            "served, full, area-wide only, stale only, none or no return",
            "services returns; directories of services",
            "A service's own place counts for the ward it lies in where it names no area. Entries of "
            "a directory name no need, and so meet none until a return says which.",
        ),
        Measure(
            "unmet_need",
            "Unmet need",
            "People referred in 12 months for needs that nothing in the ward or for it has room for.",
            "sum over needs that are full, stale only or none of the people referred for them, from "
            "shown numbers; a hidden number counts as the middle of its range; to the nearest 5",
            "people",
            "referral returns; services returns",
            "A referral for two needs counts in both. Who was never referred is in none.",
        ),
        Measure(
            "freshness",
            "Freshness",
            "How long ago somebody confirmed an entry.",
            "under 6 months, 6 to 12, over 12 or never; confirmed 12 months ago today is stale, a day "
            "later is not",
            "months",
            "services returns; directories of services",
            "Stale entries are left out of provision unless the switch at the left counts them.",
        ),
        Measure(
            "utilisation",
            "Utilisation",
            "How many of the places offered in the next 4 weeks are filled.",
            "places filled / places offered, of services that returned both",
            "share",
            "services returns; capacity by week",
            "Places are not people: one person can hold several.",
        ),
        Measure(
            "funding_worth",
            "Money for services",
            "What the places of the next 4 weeks are worth, by district.",
            "places offered x cost per place, shared out over the wards a service serves by the people "
            "who live there; per 1,000 people",
            "pounds for 4 weeks",
            "services returns; ward population",
            "Services that do not say their places or their cost are not in it.",
        ),
        Measure(
            "reach",
            "Places within reach",
            "Places offered within reach of the ward for every 1,000 people, shared with everybody who "
            "can reach them too.",
            "two-step floating catchment: each place's supply over the people within reach of it; the "
            "sum of those ratios within reach of the ward; weights 1, 0.68 and 0.22 by thirds of the "
            "reach",
            "places per 1,000 people",
            "services returns; ward boundaries; travel times where they are loaded",
            "From the middle of the ward, in a straight line unless travel times are loaded. Services "
            "that do not say how many places they offer are not in it. None within reach is not 0.",
        ),
        Measure(
            "pathway",
            "Pathway",
            "How many referrals of a cohort came to each step, and what share of those at a step went "
            "on to the next.",
            "reached: the step's date, or that of a later step, is there; share: reached / those at the "
            "last recorded step who went on or ended, with Wilson's 95% interval; open: neither",
            "referrals; share",
            "referral returns",
            "Open referrals are not lost. A step a network never dates is not recorded, not 0. A person "
            "referred three times counts three times.",
        ),
        Measure(
            "days_to_step",
            "Days to a step",
            "How long those who reached a step waited for it.",
            "whole days from the referral; the smallest by which half, or nine in ten, were there; of at "
            "least 10 people",
            "days",
            "referral returns",
            "Days below 0 are left out and counted. Who never reached the step is not in it: see the "
            "curve of first contact.",
        ),
        Measure(
            "first_contact",
            "First contact by day",
            "The share of referrals with a first contact by each day.",
            "cumulative incidence (Aalen-Johansen): open ones are watched until the last day told, who "
            "declined or was closed without contact stays uncontacted",
            "share",
            "referral returns",
        ),
        Measure(
            "ending",
            "Why it ended",
            "How referrals ended, in ten words for the many in which it is returned.",
            "by the words of the reason; declined where only that day is told; completed where it was "
            "closed after attending with no reason said",
            "referrals",
            "referral returns",
        ),
        Measure(
            "score_change",
            "Change in a score",
            "What people told before and after, each question apart.",
            "mean of after less before over people with both, Student's 95% interval; improved by at "
            "least the smallest change that counts, with Wilson's interval",
            "points",
            "returns of outcome measurements; contacts with the GP",
            "Change, not effect: there is nobody to compare with, and scores tend back to the mean. "
            "Follow-ups are kept and not shown.",
        ),
        Measure(
            "network_funnel",
            "Networks in a funnel",
            "Whether networks differ by more than chance.",
            "limits of 95% and 99.8% around the share of all, on the arcsine scale; widened by the "
            "variance between networks where phi says that they differ by more (Spiegelhalter)",
            "percent",
            "referral returns",
            "Within the limits an order says nothing, and none is shown.",
        ),
        Measure(
            "equity",
            "Slope and relative index",
            "How a figure differs from the least to the most deprived end of the population.",
            "weighted least squares over national fifths of the ward, weights are shares of people; "
            "interval exact for independent groups; relative: fitted most over least deprived",
            "difference; ratio",
            "referral returns; English Indices of Deprivation; ward population",
            "Not shown where a fifth is hidden or has fewer than 20 people.",
        ),
        Measure(
            "take_up_place",
            "Take-up against expected",
            "Where the referrals of a ward lie against the number expected.",
            "exact Poisson limits (95% and 99.8%) around the expected number; 'stays low' where it is "
            "also below limits widened for what wards differ by anyway (Spiegelhalter)",
            "one of five places",
            "referral returns; ward population; English Indices of Deprivation",
            "Wards with no return, no provision or a hidden count are set apart, and never called low.",
        ),
        Measure(
            "smoothed",
            "Smoothed ratio",
            "Referrals over expected, the less certain drawn further towards the board's ratio.",
            "global empirical Bayes (Marshall), the variance between wards held at 0 or above",
            "100 = as expected",
            "referral returns; ward population; English Indices of Deprivation",
        ),
        Measure(
            "cluster",
            "Clusters of low take-up",
            "Wards that are low beside low ones more often than chance gives.",
            "local Moran's I of the smoothed ratios, neighbours share an edge or a corner, 19,999 "
            "permutations with a fixed seed, two-sided, false discovery rate of 5% "
            "(Benjamini-Hochberg)",
            "low, high, low among high, high among low, or none",
            "referral returns; ward boundaries",
            "A ward without a judged neighbour can be in none.",
        ),
        Measure(
            "leak",
            "Where take-up is lost",
            "The people missing at each step between need and attending, in wards below the expected.",
            "shortfall = expected times the board's shares of the steps, less referred times the "
            "ward's; first the missing referrals at the board's shares, then at each step the "
            "difference of the shares; the parts add up",
            "people in 12 months",
            "referral returns",
            "Named by what the ward lacks: no link worker, no service, full. A step that is not "
            "recorded is judged with the next; after a hidden one the chain ends.",
        ),
        Measure(
            "complex_need",
            "Complex need",
            "People referred with two or more long-term conditions, or of the highest complexity.",
            "of those who say how many conditions they have, and of those whose complexity is said; "
            "Wilson's 95% interval",
            "people; share",
            "referral returns; two or more conditions: NICE NG56",
            "Boards use levels of complexity of their own: high, very high, complex and severe count.",
        ),
        Measure(
            "therapy_days",
            "Days to occupational therapy",
            "Days from the referral to the referral on, and from there until it is accepted.",
            "median and 90th percentile by whole day of at least 10 people; by month received, those "
            "of whom more than 10% still wait left out",
            "days",
            "referral returns",
            "The target is a setting: no national one is published.",
        ),
        Measure(
            "plan_need",
            "Unmet need of a plan",
            "How many fewer are referred than expected, never below 0.",
            "expected less observed, with the Poisson interval of the observed; a hidden count is the "
            "middle of its range; other measures: raised to the level of wards with all three "
            "components, adults, adults by the share of LSOAs in the two highest deciles of an index",
            "people in 12 months",
            "referral returns; ward population; indices by LSOA",
            "Where nobody told us enough it is not known, and in no plan: never 0.",
        ),
        Measure(
            "site_plan",
            "Where to fund",
            "The sites that together do best within the limits that are chosen.",
            "integer programming (HiGHS): most need reached, shortest way for all or for the furthest, "
            "or fewest sites; exact, with what is proven; order by what each adds",
            "people; pounds a year",
            "unmet need; candidate sites; services; costs as chosen",
            "Within reach says that people could come, not that they will.",
        ),
        Measure(
            "ward_gap",
            "Wards with a gap",
            "Wards in which one of the three components is missing.",
            "wards with no provision, no link worker or nothing to refer to",
            "wards",
            "the three components",
            "Wards that could not be judged are not among them.",
        ),
        Measure(
            "ward_fte",
            "Link workers serving these wards",
            "The part of the networks' link workers that goes to the people of the wards shown.",
            "sum over wards and PCNs of the share of the PCN's list that lives in the ward x its FTE",
            "FTE; 1.0 FTE is 37.5 hours",
            "published national workforce series; registered patients by LSOA",
            "A ward served by a PCN without a return has no number.",
        ),
        Measure(
            "expected_referrals",
            "Referrals expected",
            "How many would be referred in 12 months if the ward's people were referred at the "
            "board's own rates.",
            "indirect standardisation for age band and deprivation fifth, population alone where these "
            "are not known",
            "referrals",
            "referral returns; ward population; deprivation",
            "What is usual in the board, gaps included, is no measure of need.",
        ),
        Measure(
            "missing_referrals",
            "Referrals missing",
            "How many fewer were referred than expected, in the wards below the expected range.",
            "expected less observed, summed over the wards below the lower 95% limit",
            "referrals in 12 months",
            "referral returns; ward population; deprivation",
        ),
        Measure(
            "set_apart",
            "Set apart",
            "Wards whose take-up is not judged, and never called low.",
            "no return, no provision, a hidden number, or no expected number",
            "wards",
            "the three components; referral returns; ward population",
        ),
        Measure(
            "service_count",
            "Services",
            "Open services that serve the board, each once however many files list it.",
            "entries of returns and directories joined; those that name an area or lie in the board, "
            "and those online for it; others are not placed and stand beside the number",
            "services",
            "services returns; directories of services",
        ),
        Measure(
            "room",
            "Room",
            "Whether a service can take somebody now.",
            "as the service says (has capacity, full with waiting list, full), else by its places: "
            "full where as many are filled as offered",
            "words",
            "services returns; capacity by week",
            "What nobody said is not said: it is neither full nor free.",
        ),
        Measure(
            "places_offered",
            "Places offered",
            "Places of the next 4 weeks.",
            "sum over services that returned them; the newest week within 8 weeks, else the entry",
            "places",
            "services returns; capacity by week",
            "Places are not people: one person can hold several.",
        ),
        Measure(
            "free_places",
            "Free places",
            "Places of the next 4 weeks that nobody holds.",
            "places offered less filled, at least 0; 0 where the service says it is full; of services "
            "that returned both",
            "places",
            "services returns; capacity by week",
            "Services that did not say are in no sum: missing is not 0.",
        ),
        Measure(
            "people_waiting",
            "People waiting",
            "People who wait for a place, and the median wait where it was told.",
            "sum over services that returned it; small numbers hidden and others rounded as the "
            "disclosure profile says",
            "people; days",
            "services returns; capacity by week",
            "Who waits for two services counts in both.",
        ),
        Measure(
            "needs_not_met",
            "Needs not met",
            "Pairs of ward and need with nothing that has room.",
            "cells that are full, stale only or none, of those that anybody returned services for",
            "pairs of ward and need",
            "services returns; directories of services",
            "Nobody need have asked: how many people were referred is the unmet need.",
        ),
        Measure(
            "funding_end",
            "Funding ends",
            "The last day for which a service says it has money.",
            "as returned",
            "date",
            "services returns",
            "A service that does not say may end at any time.",
        ),
        Measure(
            "declined",
            "Declined",
            "Referred people who said no.",
            "people with a day on which they declined / people referred, from shown numbers",
            "percent of referrals",
            "referral returns",
            "Whose return has no such column is left out.",
        ),
        Measure(
            "plan_cost",
            "Cost of a plan",
            "What the chosen sites cost in a year, and for each who is newly reached.",
            "sum of the costs as chosen, of new places, existing venues and link workers",
            "pounds a year",
            "costs as chosen; candidate sites",
            "Costs are assumptions, not offers.",
        ),
    )
}

# By which definition a tile, heading or layer is explained that is not called as its measure is.
SHOWN_AS = {
    "Status": "status",
    "Ward status": "status",
    "To refer to": "services",
    "Residents": "population",
    "Deprivation fifth": "deprivation",
    "FTE per 10,000": "fte_per_10k",
    "Link workers": "fte_per_10k",
    "FTE to the ward": "ward_fte",
    "Referrals in 12 months": "referrals_12_months",
    "Referrals, 12 months": "referrals_12_months",
    "Take-up (95%)": "take_up_per_1000",
    "Expected": "expected_referrals",
    "Ratio": "take_up_ratio",
    "Smoothed": "smoothed",
    "Lost at": "leak",
    "Most often lost at": "leak",
    "Around it": "cluster",
    "Wards below the expected range": "take_up_place",
    "Referrals missing there": "missing_referrals",
    "Target": "target",
    "For every 10,000 patients": "fte_per_10k_patients",
    "Open per FTE": "open_caseload",
    "Contacted": "pathway",
    "Connected to a service": "pathway",
    "To first contact": "days_to_step",
    "Life satisfaction": "score_change",
    "Mean change (95%)": "score_change",
    "Slope (95%)": "equity",
    "Places, 4 weeks": "places_offered",
    "Free": "free_places",
    "Filled": "utilisation",
    "Full": "room",
    "Has capacity": "room",
    "Full with waiting list": "room",
    "Waiting": "people_waiting",
    "Median wait, days": "people_waiting",
    "Confirmed": "freshness",
    "Newly reached": "site_plan",
    "Remain unreached": "plan_need",
    "How it was chosen": "site_plan",
    "Cost": "plan_cost",
    "Unmet need, people (95%)": "plan_need",
}


def help_of(title: str) -> str:
    """The definition of what a tile, a heading or a layer of this title shows; "" for none."""
    name = SHOWN_AS.get(title) or _BY_TITLE.get(title, "")
    return MEASURES[name].definition if name else ""


_BY_TITLE = {measure.title: measure.name for measure in MEASURES.values()}

# Terms of the field that the screen uses without explaining them each time.
GLOSSARY = (
    ("Social prescribing", "A health professional refers a person, a link worker talks with them "
     "about what matters, and connects them to services of the community."),
    ("Link worker", "The person who does this; also called social prescriber, community connector, "
     "village agent, health connector or care navigator."),
    ("ICB", "Integrated care board: plans health services for an area of about 1 to 3 million people."),
    ("PCN", "Primary care network: a group of general practices, about 30,000 to 50,000 patients."),
    ("Ward", "The area that elects a district councillor; wards are redrawn, so codes have a year."),
    ("LAD", "Local authority district: district, borough, unitary or metropolitan council."),
    ("LSOA", "Lower layer super output area: about 1,500 people; wards are put together from them."),
    ("FTE", "Full-time equivalent: 1.0 is 37.5 hours a week."),
    ("IMD", "Index of Multiple Deprivation: the national ranking of LSOAs; 1 is most deprived."),
    ("VCSE", "Voluntary, community and social enterprise sector: who runs most of the services."),
    ("Return", "What an organisation sent: a file. No return means nobody told us."),
    ("Hidden", "A small number of people kept back so that nobody can be recognised."),
)  # fmt: skip
