"""One future, month by month, reckoned a second time.

Written from docs/model.md alone, without a look at the Rust, for scenarios in which nothing is left to chance. It
reads a scenario file and writes a row for each scope and metric with a value for each month, and one for each outcome:

    python3 tests/independent/model.py tests/independent/two-campuses.toml > tests/independent/two-campuses.csv

What the scenario says beyond what is understood here stops it. Numbers of chapters are those of docs/model.md.
"""

import math
import sys
import tomllib

HOURS = 730.5
FOREVER = 10**9


def months_between(start, date):
    """Months from the start to a month such as 2026-02."""
    (y0, m0), (y, m) = (map(int, text.split("-")) for text in (start, date))
    return (y - y0) * 12 + (m - m0)


def month_of(time):
    """The month in which an event at a time in months counts (chapter 1)."""
    return max(0, math.ceil(time) - 1)


class Generation:
    def __init__(self, stated, start):
        self.name = stated["name"]
        self.rack_kw = stated["rack_power_kw"]
        self.positions = stated.get("rack_positions", 1)
        self.cooling = stated.get("cooling")
        self.density = stated["rack_pflops"]["fp16_dense"] / self.rack_kw
        stated_release = stated.get("available_from")
        self.release = months_between(start, stated_release) if stated_release else None
        self.lead = stated.get("lead_time_months", 0)
        self.price = stated.get("price_per_kw", 0)
        self.growth = stated.get("growth_per_year", 0)
        self.reliability = stated.get("reliability")

    def released_by(self, time):
        return self.release is None or self.release <= time

    def arrival(self, order):
        return max(order + self.lead, -math.inf if self.release is None else self.release)

    def pflops_per_kw(self, delivered):
        """Chapter 5: growth from the release, or from the start, to the delivery."""
        since = delivered - (self.release or 0)
        return self.density * (1 + self.growth) ** (since / 12)

    def share_working(self, racks):
        """Chapter 5, failures and spares."""
        if self.reliability is None:
            return 1.0
        failures = self.reliability["failures_per_rack_year"]
        mean = racks * self.reliability["resupply_months"] * failures / 12
        spares = math.ceil(self.reliability["spare_share"] * racks)
        probability, short = math.exp(-mean), mean - spares
        for k in range(spares):
            short += (spares - k) * probability
            probability *= mean / (k + 1)
        share = 1 - self.reliability["swap_months"] * failures / 12 - short / racks
        return min(1.0, max(0.0, share))


def fits(generation, rack_type):
    """Chapter 5: its own kind of cooling; air beside direct-to-chip."""
    kinds = {"air": {"air"}, "direct_to_chip": {"direct_to_chip", "air"}}
    cools = rack_type.get("cooling") is None or generation.cooling is None
    cools = cools or generation.cooling in kinds[rack_type["cooling"]]
    return cools and generation.rack_kw <= rack_type["power_kw"] * generation.positions


class Hall:
    """A hall, its hardware of the moment, and what it has been given (kW)."""

    def __init__(self, stated, building, types):
        self.stated, self.building, self.types = stated, building, types
        self.take(stated)
        self.design_before = self.design
        self.handed_over = self.equipped = False
        self.live_since = None
        self.given = 0.0
        self.retrofitted = False

    def take(self, stated):
        """What the hall is made for; a retrofit changes it."""
        self.type = stated["rack_type"]
        self.positions = stated.get("racks", self.stated["racks"])
        self.power = stated.get("power_kw", self.stated.get("power_kw", math.inf))
        self.cooling = stated.get("cooling_power_kw", math.inf)
        self.design = min(self.positions * self.types[self.type]["power_kw"], self.power)

    def choose(self, generations, order_of):
        """The generation that is ordered; `order_of` gives the time of the order of each."""
        wanted = self.stated["hardware"]
        if wanted != "newest":
            return next(g for g in generations if g.name == wanted)
        fitting = [g for g in generations if fits(g, self.types[self.type])]
        released = [g for g in fitting if g.released_by(order_of(g))]
        key = lambda g: -math.inf if g.release is None else g.release
        return max(released, key=key) if released else min(fitting, key=key)

    def hold(self, generation, delivered):
        self.generation, self.delivered = generation, delivered
        self.racks = min(self.positions // generation.positions, math.inf)
        self.filled = min(self.racks * generation.rack_kw, self.power)
        self.served = min(self.filled, self.cooling)
        self.pflops_per_kw = generation.pflops_per_kw(delivered)

    @property
    def lacking(self):
        return max(0.0, self.served - self.given) if self.handed_over else 0.0

    @property
    def deployable(self):
        return min(self.served, self.given) if self.handed_over and self.equipped else 0.0


class Building:
    def __init__(self, stated, campus):
        self.stated, self.campus, self.name = stated, campus, stated["name"]
        chain = stated.get("electrical")
        self.chain = chain
        self.modules = chain["modules"] if chain else None
        self.share_fed = fed_share(chain) if chain else 1.0

    def usable(self, modules):
        x, y = 4, 3
        assert self.chain["redundancy"] == f"{x}N/{y}"
        usable = y * (modules // x) + max(0, modules % x - (x - y))
        return usable * self.chain["module_power_kw"]

    @property
    def limit(self):
        return self.usable(self.modules) if self.chain else math.inf

    @property
    def waits_for_groups(self):
        """Chapter 4: what of the power of the modules waits for complete groups."""
        if not self.chain:
            return 0.0
        return 3 / 4 * self.modules * self.chain["module_power_kw"] - self.limit


def fed_share(chain):
    """Chapter 4, availability: the load served, of groups of four of which three are needed."""
    def ratio(parts):
        available = 1.0
        for part in parts:
            available /= 1 + part["repair_months"] / part["between_failures_months"]
        return available
    module = ratio(chain["parts"])
    odds = (1 - module) / module
    n, y = 4, 3
    weights = [1.0]
    for j in range(n):
        weights.append(weights[-1] * (n - j) * odds / (j + 1))
    served = sum(w * min(n - j, y) / y for j, w in enumerate(weights)) / sum(weights)
    return served * ratio(chain.get("shared_parts", []))


class Part:
    """A part of a contract in one pool."""

    def __init__(self, contract, pool, kw, month):
        self.contract, self.pool, self.kw, self.month = contract, pool, kw, month

    def in_service(self, month):
        """Chapter 7, ramp."""
        return self.kw * min(1.0, (month - self.month + 1) / self.contract.ramp)


class Contract:
    def __init__(self, terms, kw, signed, ready, parent=None):
        self.terms, self.kw, self.left = terms, kw, kw
        self.signed, self.ready, self.parent = signed, ready, parent
        self.ramp = max(1, math.floor(terms.get("ramp_months", 1) + 0.5))
        patience = terms.get("patience_months")
        self.gives_up = math.inf if patience is None else math.floor(ready + patience)
        self.month = int(ready)
        self.moved_in = self.leaves = None
        self.left_early = self.is_lost = False
        self.abandoned = (0.0, None)
        self.parts = []

    def move_in(self, month):
        """Chapter 7, leaving; with probabilities of 0 and 1 only."""
        self.moved_in = month
        terms = self.terms
        term = math.floor(terms.get("term_months", 0))
        if "renewal" in terms:
            assert terms["renewal"]["probability"] == 1
            self.leaves = FOREVER
        elif terms.get("churn_per_month", 0) == 1:
            self.leaves = month + term + 1
        else:
            self.leaves = FOREVER
        if "early_exit" in terms:
            assert terms["early_exit"]["exit_probability"] == 1
            if month + 1 < month + term:
                self.leaves, self.left_early = month + 1, True
        if self.parent:
            self.leaves = min(self.leaves, self.parent.leaves)


class Plan:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.stated = tomllib.load(file)
        stated = self.stated
        self.start, self.months = stated["start"], stated["horizon_months"]
        self.types = {kind["name"]: kind for kind in stated["rack_types"]}
        self.generations = [Generation(g, self.start) for g in stated["generations"]]
        self.campuses = [campus["name"] for campus in stated["campuses"]]
        self.pue = {c["name"]: c["pue"] for c in stated["campuses"]}
        self.available = {c["name"]: c.get("availability", 1) for c in stated["campuses"]}
        self.events = []
        self.buildings, self.halls, self.deliveries, self.retrofits = [], [], [], []
        self.limit, self.substations = {}, {}
        self.finish = {}
        self.planned_kw = {name: 0.0 for name in self.campuses}
        for campus in stated["campuses"]:
            self.lay_out(campus)
        self.contracts = []
        self.flows = {}

    # ---- chapters 3 to 6: what happens when

    def add(self, time, what):
        self.events.append((time, len(self.events), what))

    def lay_out(self, campus):
        name = campus["name"]
        self.limit[name] = 0.0 if campus.get("grid") else math.inf
        self.lay_out_grid(campus)
        for substation in campus.get("substations", []):
            done = sum(a["duration_months"] for a in substation["activities"])
            self.substations[name, substation["name"]] = 0.0
            kw = substation["power_mw"] * 1000
            self.add(done, lambda key=(name, substation["name"]), kw=kw: self.substations.update({key: kw}))
        for stated in campus["buildings"]:
            self.lay_out_building(stated, name)

    def lay_out_grid(self, campus):
        times = {}
        for step in campus.get("grid", []):
            after = max([times[before] for before in step.get("after", [])], default=0)
            times[step["name"]] = time = after + step["wait_months"]
            self.finish[step["name"]] = time
            left = step["power_mw"] * 1000
            ramp = step.get("ramp_mw_per_month", step["power_mw"]) * 1000
            while left > 1e-9:
                kw = min(ramp, left)
                self.add(time, lambda kw=kw: self.energise(campus["name"], kw))
                left, time = left - kw, time + 1

    def energise(self, campus, kw):
        self.limit[campus] += kw

    def lay_out_building(self, stated, campus):
        building = Building(stated, campus)
        self.buildings.append(building)
        begins = months_between(self.start, stated["starts"]) if "starts" in stated else 0
        time, first = begins, None
        for activity in stated["activities"]:
            time += activity["duration_months"]
            first = time if first is None else first
            self.finish[campus, building.name, activity["name"]] = time
        building.started, building.complete = begins, time
        stages = {stated["name"]: time}
        for stage in (stated.get("electrical") or {}).get("stages", []):
            stages[stage["name"]] = stages[stage["after"][0]] + stage["wait_months"]
            self.add(stages[stage["name"]], lambda b=building, n=stage["modules"]: self.install(b, n))
        for hall_stated in stated["halls"]:
            hall = Hall(hall_stated, building, self.types)
            self.halls.append(hall)
            own = sum(a["duration_months"] for a in hall_stated.get("activities", []))
            hall.handover = time + own
            generation = hall.choose(self.generations, lambda g: first)
            arrival = generation.arrival(first)
            hall.hold(generation, arrival)
            self.add(hall.handover, lambda h=hall: self.hand_over(h))
            self.add(arrival, lambda h=hall: self.deliver(h))

    def install(self, building, modules):
        building.modules += modules

    def hand_over(self, hall):
        hall.handed_over = True
        hall.order = (self.now, len(self.events))

    def deliver(self, hall):
        hall.equipped = True
        self.deliveries.append((hall, hall.delivered, hall.served, hall.generation, self.racks_of(hall)))

    @staticmethod
    def racks_of(hall):
        return hall.served / hall.generation.rack_kw

    def retire(self, hall):
        """Chapter 5, replacement."""
        ends = self.now
        hall.equipped, hall.live_since = False, None
        downtime = hall.stated.get("refresh_months", 0)
        if "retrofit" in hall.stated and not hall.retrofitted:
            hall.retrofitted = True
            retrofit = hall.stated["retrofit"]
            hall.take(retrofit)
            downtime = retrofit["downtime_months"]
            self.retrofits.append((hall, ends, retrofit["capex_per_kw"] * hall.design))
        generation = hall.choose(self.generations, lambda g: ends - g.lead)
        arrival = max(ends, generation.arrival(ends - generation.lead))
        # Until then the hall counts as what it was made for before, and goes on asking for as much.
        made_for = hall.design
        hall.design = hall.design_before
        self.add(arrival + downtime, lambda: self.renew(hall, generation, arrival, made_for))

    def renew(self, hall, generation, arrival, made_for):
        hall.design = hall.design_before = made_for
        hall.hold(generation, arrival)
        hall.given = min(hall.given, hall.served)
        self.deliver(hall)

    def share_out(self):
        """Chapter 4, sharing out."""
        ready = sorted((h for h in self.halls if h.handed_over), key=lambda h: h.order)
        for hall in ready:
            if hall.lacking > 0:
                left = min(self.left(hall))
                hall.given += min(hall.lacking, max(0.0, left))
        for hall in ready:
            if hall.live_since is None and hall.deployable > 0:
                hall.live_since = self.now
                life = hall.stated.get("hardware_life_months")
                if life is not None:
                    self.add(self.now + life, lambda h=hall: self.retire(h))

    def left(self, hall):
        """What campus, substation and building have left for a hall, in kW of IT power."""
        building, campus = hall.building, hall.building.campus
        given = lambda halls: sum(h.given for h in halls)
        of_campus = [h for h in self.halls if h.building.campus == campus]
        lefts = [self.limit[campus] / self.pue[campus] - given(of_campus)]
        name = building.stated.get("substation")
        if name:
            of_it = [h for h in of_campus if h.building.stated.get("substation") == name]
            lefts.append(self.substations[campus, name] / self.pue[campus] - given(of_it))
        lefts.append(building.limit - given(h for h in of_campus if h.building is building))
        return lefts

    def pass_time(self, until):
        while True:
            due = [event for event in self.events if event[0] <= until and event[2]]
            if not due:
                return
            event = min(due, key=lambda e: e[:2])
            self.events[self.events.index(event)] = (event[0], event[1], None)
            self.now = event[0]
            event[2]()
            self.share_out()

    # ---- chapter 7: tenants

    def invite(self):
        segments = {s["name"]: s for s in self.stated["segments"]}
        self.tenants = []
        for rank, tenant in enumerate(self.stated["tenants"]):
            terms = dict(segments[tenant["segment"]])
            terms |= {k: v for k, v in tenant.items() if k in ("ramp_months", "term_months", "campuses")}
            kw = tenant.get("contract_power_kw")
            if kw is None:
                kw = tenant["contract_standard_racks"] * self.stated["standard_rack_power_kw"]
            ready = months_between(self.start, tenant["starts"])
            signed = ready - terms.get("move_in_lag_months", 0)
            if "signed" in tenant:
                signed = months_between(self.start, tenant["signed"])
            terms["rank"] = rank
            self.tenants.append(terms)
            self.contracts.append(Contract(terms, kw, max(0, min(signed, ready)), ready))

    def pools_of(self, terms):
        campuses = terms.get("campuses", self.campuses)
        types = terms.get("rack_types", list(self.types))
        return [(campus, kind) for campus in campuses for kind in types]

    def free(self, pool, month):
        leased = sum(p.kw for c in self.contracts for p in c.parts if p.pool == pool and month < c.leaves)
        return max(0.0, self.deployable(pool) - leased)

    def deployable(self, pool):
        return sum(h.deployable for h in self.halls if (h.building.campus, h.type) == pool)

    def place(self, month):
        waiting = [c for c in self.contracts if c.month <= month and c.left > 0 and not c.is_lost]
        waiting = [c for c in waiting if c.leaves is None or month < c.leaves]
        waiting.sort(key=lambda c: (c.terms.get("priority", 0), c.month, c.terms["rank"]))
        for contract in waiting:
            whole = contract.terms.get("allocation") == "first_come_whole"
            for pool in self.pools_of(contract.terms):
                free = self.free(pool, month)
                kw = min(contract.left, free)
                if kw <= 0 or (whole and kw < contract.left):
                    continue
                if contract.moved_in is None:
                    contract.move_in(month)
                    self.promise(contract, month)
                contract.parts.append(Part(contract, pool, kw, month))
                contract.left -= kw
        for contract in waiting:
            if contract.left > 0 and month >= contract.gives_up:
                contract.abandoned = (contract.left, month)
                contract.is_lost = contract.moved_in is None
                contract.left = 0.0

    def promise(self, contract, month):
        """An expansion, as a contract of its own that leaves with the first."""
        expansion = contract.terms.get("expansion")
        if expansion and contract.parent is None:
            assert expansion["probability"] == 1
            ready = month + max(1, math.floor(expansion["after_months"] + 0.5))
            kw = contract.kw * expansion["size_share"]
            self.contracts.append(Contract(contract.terms, kw, ready, ready, contract))

    # ---- a month, in order

    def run(self):
        self.now = 0
        self.rows = {}
        self.invite()
        self.live_at = []
        for month in range(self.months):
            self.pass_time(month + 1)
            self.place(month)
            self.note(month)
        self.close()

    def scopes(self):
        return [("total", self.campuses)] + [(name, [name]) for name in self.campuses]

    def put(self, scope, metric, month, value):
        self.rows.setdefault((scope, metric), [0.0] * self.months)[month] = value

    def active(self, month):
        return [p for c in self.contracts for p in c.parts if month < c.leaves]

    def note(self, month):
        """Chapters 6 and 8: what there is at the end of a month, and what of it is served."""
        self.served = {}
        for pool in [(c, t) for c in self.campuses for t in self.types]:
            parts = [p for p in self.active(month) if p.pool == pool]
            wanted = sum(p.in_service(month) for p in parts)
            there = self.deployable(pool)
            cut = 1.0 if wanted <= there else there / wanted
            for part in parts:
                self.served[part] = part.in_service(month) * cut
        self.note_energy_and_compute(month)
        for scope, campuses in self.scopes():
            self.note_capacity(scope, campuses, month)
            self.note_tenants(scope, campuses, month)

    def note_capacity(self, scope, campuses, month):
        halls = [h for h in self.halls if h.building.campus in campuses]
        built = [h for h in halls if h.handed_over]
        put = lambda metric, value: self.put(scope, metric, month, value)
        mw = lambda values: sum(values) / 1000
        deployable = mw(h.deployable for h in halls)
        put("it_power_mw", deployable)
        put("standard_racks", deployable * 1000 / self.stated["standard_rack_power_kw"])
        put("facility_power_mw", mw(h.deployable * self.pue[h.building.campus] for h in halls))
        put("installed_pflops", sum(h.deployable * h.pflops_per_kw for h in halls))
        put("built_power_mw", mw(h.design for h in built))
        put("stranded_density_mw", mw(h.design - h.filled for h in built))
        put("stranded_cooling_mw", mw(h.filled - h.served for h in built))
        put("racks_built", sum(self.racks_of(h) for h in built))
        put("racks_deployable", sum(h.deployable / h.generation.rack_kw for h in built))
        late = [min(h.given, h.served) for h in built if not h.equipped]
        put("stranded_equipment_late_mw", mw(late))
        groups = sum(self.waiting_for_groups(b) for b in self.buildings if b.campus in campuses)
        put("stranded_redundancy_not_complete_mw", groups / 1000)
        lacking = sum(h.lacking for h in built)
        put("stranded_space_without_power_mw", (lacking - groups) / 1000)

    def waiting_for_groups(self, building):
        halls = [h for h in self.halls if h.building is building and h.handed_over]
        lacking = sum(h.lacking for h in halls)
        exhausted = building.limit - sum(h.given for h in halls) <= 1e-9
        return min(lacking, building.waits_for_groups) if exhausted else 0.0

    def note_energy_and_compute(self, month):
        """Chapter 8: draw, and compute in the order in which it went live."""
        self.paid_pflops = {}
        per = {name: dict(draw=0.0, used=0.0, pflops=0.0, effective=0.0) for name in self.campuses}
        for pool in [(c, t) for c in self.campuses for t in self.types]:
            parts = [p for p in self.served if p.pool == pool]
            used = sum(self.served[p] for p in parts)
            live = [h for h in self.halls if (h.building.campus, h.type) == pool and h.deployable > 0]
            live.sort(key=lambda h: h.live_since)
            pflops = available = 0.0
            left = used
            filling = []
            for hall in live:
                kw = min(left, hall.deployable)
                left -= kw
                works = hall.generation.share_working(self.racks_of(hall)) * hall.building.share_fed
                pflops += kw * hall.pflops_per_kw
                available += kw * hall.pflops_per_kw * works
                filling.append((kw * hall.pflops_per_kw * works, hall.live_since))
            campus = per[pool[0]]
            campus["pflops"] += pflops
            campus["used"] += used
            useful = 0.0
            for part in parts:
                kw = self.served[part]
                campus["draw"] += kw * part.contract.terms.get("draw_share", 1)
                useful += kw * part.contract.terms.get("utilisation", 1)
                share = kw / used if used > 0 else 0.0
                self.paid_pflops[part] = (share, filling)
            campus["effective"] += available * (useful / used if used > 0 else 0.0)
        for scope, campuses in self.scopes():
            of = lambda key: sum(per[name][key] for name in campuses)
            self.put(scope, "in_service_power_mw", month, of("used") / 1000)
            self.put(scope, "it_draw_mw", month, of("draw") / 1000)
            draw = sum(per[name]["draw"] * self.pue[name] for name in campuses)
            self.put(scope, "facility_draw_mw", month, draw / 1000)
            self.put(scope, "in_service_pflops", month, of("pflops"))
            effective = sum(per[name]["effective"] * self.available[name] for name in campuses)
            self.put(scope, "effective_pflops", month, effective)
            deployable = sum(h.deployable for h in self.halls if h.building.campus in campuses)
            self.put(scope, "take_up", month, of("used") / deployable if deployable > 0 else 0.0)

    def home(self, contract):
        return contract.terms.get("campuses", self.campuses)[0]

    def note_tenants(self, scope, campuses, month):
        put = lambda metric, value: self.put(scope, metric, month, value)
        homed = [c for c in self.contracts if self.home(c) in campuses]
        waiting = [c for c in homed if c.month <= month and not c.is_lost]
        waiting = [c for c in waiting if c.leaves is None or month < c.leaves]
        put("waiting_demand_mw", sum(c.left for c in waiting) / 1000)
        put("leased_power_mw", sum(p.kw for p in self.active(month) if p.pool[0] in campuses) / 1000)
        put("contracts_signed", sum(math.floor(c.signed) <= month for c in homed))
        there = [c for c in homed if c.moved_in is not None]
        put("contracts_in_service", sum(month < c.leaves for c in there))
        put("contracts_left", sum(month >= c.leaves for c in there))
        put("contracts_left_early", sum(month >= c.leaves and c.left_early for c in there))
        put("contracts_lost", sum(c.is_lost and c.abandoned[1] <= month for c in homed))
        self.settle(month) if scope == "total" else None

    # ---- chapter 11: money

    def index(self, month, growth):
        return (1 + growth) ** ((month + 1) / 12)

    def book(self, campus, flow, month, amount):
        flows = self.flows.setdefault((campus, flow), [0.0] * self.months)
        flows[month] += amount

    def price_of(self, terms):
        return next(p for p in self.stated["finance"]["prices"] if p["segment"] == terms["name"])

    def settle(self, month):
        """Revenue, fees and damages of a month."""
        for part in self.active(month):
            contract, price = part.contract, self.price_of(part.contract.terms)
            campus = part.pool[0]
            billed = self.billed(part, month)
            revenue = billed * price["per_kw_month"] * self.rent_index(contract, price, month)
            if price.get("per_pflops_hour", 0):
                share, filling = self.paid_pflops[part]
                aged = 1 - price.get("discount_per_year_of_age", 0)
                pflops = sum(one * aged ** ((month + 1 - live) / 12) for one, live in filling)
                pflops *= share * self.available[campus]
                index = self.index(month, price.get("compute_growth_per_year", 0))
                revenue += pflops * HOURS * price["per_pflops_hour"] * index
            self.book(campus, "revenue", month, revenue)
            self.book(campus, "revenue from " + contract.terms["name"], month, revenue)
        for contract in self.contracts:
            self.settle_terms(contract, month)

    def billed(self, part, month):
        """What is served, or of what the lease could be served its minimum take, if that is more."""
        served = self.served[part]
        share = part.contract.terms.get("minimum_take_share", 0)
        wanted = part.in_service(month)
        there = part.kw * (served / wanted if wanted > 0 else 1.0)
        return max(served, share * there)

    def rent_index(self, contract, price, month):
        growth = price.get("rent_growth_per_year", 0)
        if not price.get("fixed_at_signature"):
            return self.index(month, growth)
        signed, indexation = math.floor(contract.signed), price.get("indexation_per_year", 0)
        return self.index(signed, growth) * self.index(month, indexation) / self.index(signed, indexation)

    def settle_terms(self, contract, month):
        terms, price = contract.terms, self.price_of(contract.terms)
        if contract.left_early and contract.leaves == month:
            for part in contract.parts:
                fee = terms["early_exit"]["fee_months"] * part.kw * price["per_kw_month"]
                self.book(part.pool[0], "fees", month, fee * self.rent_index(contract, price, month))
        damages = terms.get("damages")
        is_there = contract.leaves is None or month < contract.leaves
        if damages and contract.month <= month and is_there and not contract.is_lost:
            late = month - contract.month + 1 - damages["grace_months"]
            if 0 < late <= damages["most_months"]:
                self.book(self.home(contract), "damages", month, -contract.left * damages["per_kw_month"])

    def close(self):
        """The books, when all months are over."""
        finance = self.stated["finance"]
        self.written_off = {name: [0.0] * (self.months + 1) for name in self.campuses}
        self.book_value = {name: 0.0 for name in self.campuses}
        for capex in finance["capex"]:
            self.spend_capex(capex, finance)
        for hall, begins, price in self.retrofits:
            month = month_of(begins)
            if month < self.months:
                amount = price * (1 + finance["contingency_share"]) * self.index(month, finance["capex_growth_per_year"])
                self.spend(hall.building.campus, month, amount, 240)
        for hall, arrives, kw, generation, _ in self.deliveries:
            if month_of(arrives) < self.months:
                self.spend(hall.building.campus, month_of(arrives), generation.price * kw, finance["hardware_life_months"])
        for opex in finance["opex"]:
            self.spend_opex(opex, finance)
        for campus in self.campuses:
            self.pay_energy(campus, finance)
            self.pay_tax(campus, finance["tax"])
            self.book(campus, "residual_value", self.months - 1, self.book_value[campus] * finance["residual_share"])
        self.sum_up(finance["discount_rate_per_year"])

    def spend(self, campus, month, amount, life):
        self.book(campus, "capex", month, -amount)
        life = math.ceil(life)
        for later in range(month + 1, min(self.months, month + 1 + life)):
            self.written_off[campus][later] += amount / life
        age = self.months - 1 - month
        self.book_value[campus] += amount * max(0.0, 1 - age / life)

    def spend_capex(self, capex, finance):
        each, parts = capex.get("each", "project"), capex.get("instalments", 1)
        dues = []
        if each == "project":
            campus = capex.get("campus", self.campuses[0])
            dues.append((campus, self.finish[capex["when"]] if "when" in capex else 0, 1))
        elif each == "building":
            for building in self.buildings:
                dues.append((building.campus, self.finish[building.campus, building.name, capex["when"]], 1))
        elif capex["when"] == "handover":
            assert each == "kw"
            for hall in self.halls:
                first = min(hall.stated["racks"] * self.types[hall.stated["rack_type"]]["power_kw"], hall.stated.get("power_kw", math.inf))
                dues.append((hall.building.campus, hall.handover, first))
        else:
            assert (each, capex["when"]) == ("rack", "delivered")
            dues += [(h.building.campus, arrives, racks) for h, arrives, _, _, racks in self.deliveries]
        for campus, due, count in dues:
            for before in range(parts):
                month = month_of(due) - before
                if 0 <= month < self.months:
                    amount = capex["amount"] / parts * count * (1 + finance["contingency_share"])
                    amount *= self.index(month, finance["capex_growth_per_year"])
                    self.spend(campus, month, amount, capex.get("life_months", 240))

    def spend_opex(self, opex, finance):
        for campus in self.campuses:
            paid = 0.0
            for month in range(self.months):
                paid += -self.flows[campus, "capex"][month]
                row = lambda metric: self.rows[campus, metric][month]
                count = {
                    "campus": lambda: 1,
                    "deployable_kw": lambda: row("it_power_mw") * 1000,
                    "in_service_kw": lambda: row("in_service_power_mw") * 1000,
                    "built_rack": lambda: row("racks_built"),
                    "capex": lambda: paid,
                }[opex.get("each", "campus")]()
                amount = opex["amount_per_year"] / 12 * count * self.index(month, finance["opex_growth_per_year"])
                self.book(campus, "opex", month, -amount)

    def pay_energy(self, campus, finance):
        tariffs = finance["energy"]
        own = [t for t in tariffs if t.get("campus") == campus]
        tariff = (own or [t for t in tariffs if "campus" not in t])[0]
        price = tariff.get("price_per_kwh")
        if price is None:
            price = sum(t["share"] * t["price_per_kwh"] for t in tariff["times_of_use"])
        for month in range(self.months):
            d = self.rows[campus, "facility_draw_mw"][month] * 1000
            c = self.rows[campus, "facility_power_mw"][month] * 1000
            paid = max(d, tariff.get("minimum_take_share", 0) * c) * HOURS * price
            paid += min(tariff.get("peak_to_mean", 1.1) * d, max(c, d)) * tariff.get("demand_charge_per_kw_month", 0)
            paid *= self.index(month, tariff.get("growth_per_year", 0))
            self.book(campus, "energy_paid", month, -paid)
            self.book(campus, "energy_passed_on", month, paid * tariff.get("passed_on_share", 0))

    def pay_tax(self, campus, tax):
        flow = lambda name, month: self.flows.get((campus, name), [0.0] * self.months)[month]
        losses, first_profit = [], None
        for year in range(math.ceil(self.months / 12)):
            months = range(12 * year, min(self.months, 12 * year + 12))
            profit = 0.0
            for month in months:
                income = flow("revenue", month) + flow("energy_passed_on", month)
                on_revenue = income * tax["revenue_share"]
                self.book(campus, "tax", month, -on_revenue)
                profit += income + flow("fees", month) - on_revenue - self.written_off[campus][month]
                profit += flow("opex", month) + flow("energy_paid", month) + flow("damages", month)
            if profit < 0:
                losses.append([year, -profit])
                continue
            for loss in losses:
                if year - loss[0] <= tax["loss_years"]:
                    used = min(profit, loss[1])
                    profit, loss[1] = profit - used, loss[1] - used
            if profit <= 0:
                continue
            first_profit = year if first_profit is None else first_profit
            since = year - first_profit
            rate = tax["profit_share"]
            if since < tax["free_years"]:
                rate = 0.0
            elif since < tax["free_years"] + tax["half_rate_years"]:
                rate /= 2
            self.book(campus, "tax", months[-1], -profit * rate)

    def sum_up(self, rate):
        kinds = ["capex", "opex", "energy_paid", "revenue", "energy_passed_on", "fees", "damages", "tax", "residual_value"]
        segments = ["revenue from " + s["name"] for s in self.stated["segments"]]
        nothing = [0.0] * self.months
        for scope, campuses in self.scopes():
            signed = {}
            for kind in kinds + segments:
                flows = [self.flows.get((name, kind), nothing) for name in campuses]
                signed[kind] = [sum(flow[m] for flow in flows) for m in range(self.months)]
                # What goes out is reported as an amount without a sign.
                sign = -1 if kind in ("capex", "opex", "energy_paid", "damages", "tax") else 1
                self.rows[scope, kind] = [sign * value for value in signed[kind]]
            cash = [sum(signed[kind][m] for kind in kinds) for m in range(self.months)]
            self.rows[scope, "cash_flow"] = cash
            self.rows[scope, "cumulated_cash"] = [sum(cash[: m + 1]) for m in range(self.months)]
        cash = self.rows["total", "cash_flow"]
        self.outcomes = {"profit": sum(cash)}
        worth = lambda rate: sum(c * (1 + rate) ** (-(m + 1) / 12) for m, c in enumerate(cash))
        self.outcomes["npv"] = worth(rate)
        self.outcomes["peak_funding"] = -min(0.0, min(self.rows["total", "cumulated_cash"]))


def main():
    plan = Plan(sys.argv[1])
    plan.run()
    print("scope,metric,values by month (of an outcome: its value)")
    for (scope, metric), values in plan.rows.items():
        print(f"{scope},{metric},{' '.join(written(value) for value in values)}")
    for name, value in plan.outcomes.items():
        print(f"total,outcome {name},{written(value)}")


def written(value):
    """Nine digits, so that the last one does not depend on the order of a sum."""
    return f"{value:.9g}" if abs(value) > 1e-9 else "0"


if __name__ == "__main__":
    main()
