(function () {
  "use strict";
  var data = JSON.parse(document.getElementById("data").textContent);
  document.documentElement.classList.add("js");
  var LISTS = ["P5", "P10", "P50", "P90", "P95", "mean"];
  var MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  var byId = function (id) { return document.getElementById(id); };
  var all = function (what, within) { return Array.prototype.slice.call((within || document).querySelectorAll(what)); };
  var metric = byId("metric"), scope = byId("scope"), scenario = byId("scenario");
  var month = function (m) { return MONTHS[m % 12] + " " + Math.floor(m / 12); };
  var tenths = function (x) { return Math.floor(x * 10 + 0.5) / 10; };
  var escaped = function (text) { return text.replace(/&/g, "&amp;").replace(/</g, "&lt;"); };
  var grouped = function (x, scale) {
    if (x === null || x === undefined) { return "-"; }
    var a = Math.abs(x / scale.by), places = scale.unit === "per cent" ? 1 : a >= 100 ? 0 : a >= 10 ? 1 : 2;
    var text = (x / scale.by).toFixed(places).replace(/^-(0\.?0*)$/, "$1").split(".");
    text[0] = text[0].replace(/\B(?=(\d{3})+$)/g, ",");
    return text.join(".");
  };

  // What is drawn is what the page was drawn with: the same points, on another scale.
  function plot(svg, scale) {
    var box = svg.dataset.box.split(" ").map(Number), months = Number(svg.dataset.months);
    return {
      left: box[0], top: box[1], width: box[2], height: box[3],
      x: function (m) { return box[0] + box[2] * m / months; },
      y: function (v) { return box[1] + box[3] * (1 - (v - scale.from) / (scale.to - scale.from)); }
    };
  }
  function through(p, points, begin) {
    return points.map(function (q, i) { return (i ? "L" : begin) + tenths(p.x(q[0])) + " " + tenths(p.y(q[1])); }).join("");
  }
  function path(p, lists) {
    var d = "", run = null;
    var points = function (list) {
      var first = run.length === 1 ? [[run[0], list[run[0]]]] : [];
      return first.concat(run.map(function (m) { return [m + 1, list[m]]; }));
    };
    var close = function () {
      if (!run) { return; }
      d += through(p, points(lists[lists.length - 1]), "M");
      if (lists.length > 1) { d += through(p, points(lists[0]).reverse(), "L") + "Z"; }
      run = null;
    };
    lists[0].forEach(function (_, m) {
      if (lists.every(function (list) { return list[m] !== null; })) { (run = run || []).push(m); } else { close(); }
    });
    close();
    return d;
  }
  function axis(p, scale) {
    return scale.ticks.map(function (tick) {
      return '<path class="grid" d="M' + p.left + " " + tenths(p.y(tick[0])) + "H" + tenths(p.left + p.width) + '"/><text x="' + (p.left - 6) +
        '" y="' + tenths(p.y(tick[0]) + 4) + '" text-anchor="end">' + tick[1] + "</text>";
    }).join("");
  }
  function goals(p, list) {
    var taken = [];
    return (list || []).slice().reverse().map(function (goal) {
      var x = p.x(goal[0]), y = p.y(goal[1]), right = x > p.left + p.width / 2, by = right ? -9 : 9;
      var baseline = y - 8 > p.top + 10 ? y - 8 : y + 17, length = 7.5 * Array.from(goal[2]).length, begin = right ? x + by - length : x + by;
      var free = taken.every(function (t) { return begin > t[1] || begin + length < t[0] || Math.abs(t[2] - baseline) > 13; });
      if (free) { taken.push([begin, begin + length, baseline]); }
      return '<path class="goalline" d="M' + p.left + " " + tenths(y) + "H" + tenths(x) + "V" + tenths(p.top + p.height) + '"/><path class="goal" d="M' +
        tenths(x) + " " + tenths(y - 6) + 'l6 6l-6 6l-6 -6Z"/>' + (free ? '<text class="goaltext halo" x="' + tenths(x + by) + '" y="' +
        tenths(baseline) + '" text-anchor="' + (right ? "end" : "start") + '">' + escaped(goal[2]) + "</text>" : "");
    }).join("");
  }
  function ends(p, svg, lists) {
    var taken = [], text = "";
    all("[data-lists]", svg).reverse().forEach(function (shape) {
      shape.dataset.lists.split(" ").forEach(function (name) {
        var list = lists[LISTS.indexOf(name)];
        var last = list && list.filter(function (x) { return x !== null; }).pop();
        if (last === undefined || !list) { return; }
        var y = p.y(last);
        if (taken.every(function (other) { return Math.abs(other - y) >= 11; })) {
          taken.push(y);
          text += '<text class="end" x="' + tenths(p.left + p.width + 4) + '" y="' + tenths(y + 4) + '">' + name + "</text>";
        }
      });
    });
    return text;
  }
  function fan(figure) {
    var name = figure.dataset.metric || metric.value, run = data.runs[figure.dataset.run];
    var entry = (run.scopes[scope.value] || {})[name], scale = data.scales[scope.value + "/" + name];
    return entry ? { name: name, run: run, lists: entry[0], goals: entry[1], scale: scale, about: data.metrics[name] } : null;
  }
  function base(figure, name) {
    var first = data.runs[0];
    var entry = (first.scopes[scope.value] || {})[name];
    return figure.dataset.run !== "0" && entry && first.start === data.runs[figure.dataset.run].start ? entry[0][2] : null;
  }
  function redraw(figure) {
    var of = fan(figure);
    figure.hidden = !of;
    if (!of) { return; }
    all("svg.chart[data-box]", figure).forEach(function (svg) {
      var p = plot(svg, of.scale);
      all("path[data-lists]", svg).forEach(function (shape) {
        var lists = shape.dataset.lists.split(" ").filter(Boolean).map(function (name) { return of.lists[LISTS.indexOf(name)]; });
        var first = base(figure, of.name);
        shape.setAttribute("d", lists.length ? path(p, lists) : first ? path(p, [first]) : "");
      });
      svg.querySelector(".unit").textContent = of.scale.unit;
      svg.querySelector(".y").innerHTML = axis(p, of.scale);
      svg.querySelector(".goals").innerHTML = goals(p, of.goals);
      svg.querySelector(".ends").innerHTML = ends(p, svg, of.lists);
      svg.setAttribute("aria-label", of.about.title);
    });
    figure.querySelector(".what").textContent = of.about.title;
    figure.querySelector(".where").textContent = scope.value === "total" ? "" : scope.value;
    figure.querySelector(".canvas").setAttribute("aria-label", of.about.title + ": arrow keys move through the months");
    if (!figure.dataset.metric) { figure.querySelector(".readout").textContent = of.about.meaning; }
    table(figure, of);
  }
  function table(figure, of) {
    var head = figure.querySelector("table thead tr"), show = function (x) { return grouped(x, of.scale) + (of.about.unit === "share" && x !== null ? " %" : ""); };
    head.lastElementChild.innerHTML = escaped(of.about.title) + "<small>" + escaped(of.scale.unit) + "</small>";
    all("table tbody tr", figure).forEach(function (row) {
      var words = row.firstElementChild.textContent.split(" "), at = Number(words[1]) * 12 + MONTHS.indexOf(words[0]) - of.run.start;
      var value = function (k) { return show(of.lists[k][at]); };
      row.lastElementChild.innerHTML = value(2) === "-" ? "-" : value(2) + "<small>" + value(1) + " to " + value(3) + "</small>";
    });
  }

  // The month that the pointer or a key chose, shown below the chart and marked in it.
  function readOut(figure, at) {
    var svg = all("svg.chart[data-box]", figure).filter(function (svg) { return svg.getBoundingClientRect().width > 0; })[0];
    var months = Number(svg.dataset.months), text;
    at = Math.max(0, Math.min(months - 1, at));
    figure.dataset.at = at;
    if (figure.dataset.shown) {
      var shown = JSON.parse(figure.dataset.shown), unit = shown.unit === "per cent" || !shown.unit ? "" : " " + shown.unit;
      text = month(shown.from + at) + ": " + shown.lists.filter(function (list) { return !/^(0 %|-)$/.test(list[1][at]); }).map(function (list) {
        return list[0] + " " + list[1][at];
      }).join("; ") + unit;
    } else {
      var of = fan(figure), value = function (k) { return grouped(of.lists[k][at], of.scale); };
      text = month(of.run.start + at) + ": P50 " + value(2) + (of.scale.unit === "per cent" ? " %" : " " + of.scale.unit) +
        "; P10 to P90 " + value(1) + " to " + value(3) + "; P5 to P95 " + value(0) + " to " + value(4) + "; mean " + value(5);
    }
    figure.querySelector(".readout").textContent = text;
    var p = plot(svg, { from: 0, to: 1 }), hair = svg.querySelector(".hair");
    if (!hair) {
      hair = document.createElementNS("http://www.w3.org/2000/svg", "path");
      hair.setAttribute("class", "hair");
      svg.appendChild(hair);
    }
    hair.setAttribute("d", "M" + tenths(p.x(at + 1)) + " " + p.top + "V" + tenths(p.top + p.height));
  }
  all("figure.plot").forEach(function (figure) {
    var canvas = figure.querySelector(".canvas");
    canvas.addEventListener("pointermove", function (event) {
      var svg = event.target.closest("svg.chart");
      if (!svg) { return; }
      var box = svg.getBoundingClientRect(), p = svg.dataset.box.split(" ").map(Number);
      var x = (event.clientX - box.left) * svg.viewBox.baseVal.width / box.width;
      readOut(figure, Math.round((x - p[0]) / p[2] * Number(svg.dataset.months) - 1));
    });
    canvas.addEventListener("keydown", function (event) {
      var step = { ArrowRight: 1, ArrowLeft: -1, PageDown: 12, PageUp: -12, Home: -1e6, End: 1e6 }[event.key];
      if (step === undefined) { return; }
      event.preventDefault();
      readOut(figure, (figure.dataset.at === undefined ? 0 : Number(figure.dataset.at)) + step);
    });
  });

  // One switch that all charts follow.
  function add(select, value, text) {
    var option = document.createElement("option");
    option.value = value; option.textContent = text; select.appendChild(option);
  }
  function follow() {
    all("figure.fan").forEach(redraw);
    all("[data-run]").forEach(function (part) {
      if (scenario.value !== "" && part.dataset.run !== scenario.value) { part.hidden = true; }
      else if (!part.classList.contains("fan")) { part.hidden = false; }
    });
    all("[data-scope]").forEach(function (part) { part.hidden = part.dataset.scope !== scope.value; });
  }
  Object.keys(data.metrics).forEach(function (name) {
    var about = data.metrics[name], unit = about.unit && about.unit !== "share" ? " (" + about.unit + ")" : "";
    add(metric, name, about.title + unit);
  });
  var scopes = [];
  data.runs.forEach(function (run) { Object.keys(run.scopes).forEach(function (name) { if (scopes.indexOf(name) < 0) { scopes.push(name); } }); });
  scopes.forEach(function (name) { add(scope, name, name === "total" ? "all" : name); });
  add(scenario, "", "all");
  data.runs.forEach(function (run, number) { add(scenario, String(number), run.name); });
  metric.value = data.metric; scope.value = data.scope;
  byId("where").hidden = scopes.length < 2; byId("which").hidden = data.runs.length < 2;
  [metric, scope, scenario].forEach(function (select) { select.addEventListener("change", follow); });
  all("[data-scope]").forEach(function (part) { part.hidden = part.dataset.scope !== scope.value; });
  window.addEventListener("beforeprint", function () {
    all("figure.plot > details").forEach(function (d) { d.open = false; });
  });
}());
