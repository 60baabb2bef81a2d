(function () {
  "use strict";
  var data = JSON.parse(document.getElementById("data").textContent);
  document.documentElement.classList.add("js");
  var byId = function (id) { return document.getElementById(id); };
  var metric = byId("metric"), scope = byId("scope"), chart = byId("chart"), readout = byId("readout");
  var add = function (select, value, text) {
    var option = document.createElement("option");
    option.value = value; option.textContent = text; select.appendChild(option);
  };
  var names = [], scopes = [], titles = {};
  data.runs.forEach(function (run) {
    Object.keys(run.scopes).forEach(function (s) {
      if (scopes.indexOf(s) < 0) { scopes.push(s); }
      Object.keys(run.scopes[s]).forEach(function (m) { if (names.indexOf(m) < 0) { names.push(m); titles[m] = run.scopes[s][m]; } });
    });
  });
  names.forEach(function (m) {
    var unit = titles[m].unit;
    add(metric, m, titles[m].title + (unit && unit !== "share" ? " (" + unit + ")" : ""));
  });
  scopes.forEach(function (s) { add(scope, s, s); });
  if (names.indexOf(data.first) >= 0) { metric.value = data.first; }
  if (scopes.length < 2) { scope.parentNode.hidden = true; }
  var first = data.runs.reduce(function (a, b) { return a.start < b.start ? a : b; }).start;
  var last = Math.max.apply(null, data.runs.map(function (r) { return r.start + r.count; }));
  var months = [];
  for (var m = first; m < last; m++) { months.push(m); }
  var label = function (m) {
    return ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][m % 12] + " " + Math.floor(m / 12);
  };
  var css = function (name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); };
  var faded = function (colour, alpha) {
    var n = parseInt(colour.slice(1), 16);
    return "rgba(" + (n >> 16) + "," + ((n >> 8) & 255) + "," + (n & 255) + "," + alpha + ")";
  };
  var number = function (x, unit) {
    if (x === null || x === undefined) { return "-"; }
    if (unit === "share") { return (100 * x).toFixed(1) + " %"; }
    var a = Math.abs(x);
    return x.toLocaleString("en-US", { maximumFractionDigits: a >= 100 ? 0 : a >= 10 ? 1 : 2 });
  };
  var countedIn = function (vs) {
    var most = Math.max.apply(null, vs.map(Math.abs));
    return most >= 1e10 ? [1e9, " bn"] : most >= 1e7 ? [1e6, " m"] : [1, ""];
  };
  var plot = null, shown = [], index = 0;
  function tell(i) {
    if (i === null || i === undefined) { return; }
    index = Math.max(0, Math.min(months.length - 1, i));
    readout.textContent = shown.map(function (entry) {
      var at = months[index] - entry.run.start, s = entry.series;
      if (at < 0 || at >= entry.run.count) { return ""; }
      var f = function (k) { return number(s[k][at], s.unit); };
      var unit = s.unit === "share" ? "" : " " + s.unit;
      return (data.runs.length > 1 ? entry.run.name + ", " : "") + label(months[index]) + ": P50 " + f("p50") + unit +
        "; P10 to P90 " + f("p10") + " to " + f("p90") + "; P5 to P95 " + f("p5") + " to " + f("p95") + "; mean " + f("mean");
    }).filter(Boolean).join("\n");
  }
  function draw() {
    var one = data.runs.length === 1;
    var columns = [months], series = [{}], bands = [], unit = "";
    shown = [];
    data.runs.forEach(function (run, r) {
      var s = (run.scopes[scope.value] || {})[metric.value];
      if (!s) { return; }
      unit = s.unit;
      shown.push({ run: run, series: s });
      var column = function (k) {
        return months.map(function (m) {
          var v = s[k][m - run.start];
          return v === undefined ? null : v;
        });
      };
      var colour = one ? css("--mid") : css("--s" + (r % 4));
      var at = columns.length, edge = { stroke: "transparent", width: 0, points: { show: false } };
      var keys = one ? ["p95", "p5", "p90", "p10"] : ["p90", "p10"];
      keys.forEach(function (k) { columns.push(column(k)); series.push(edge); });
      for (var b = 0; b < keys.length; b += 2) {
        bands.push({ series: [at + b, at + b + 1], fill: one ? css(b ? "--inner" : "--outer") : faded(colour, 0.2) });
      }
      columns.push(column("p50"));
      series.push({ stroke: colour, width: 2.5, dash: one || r === 0 ? [] : [[9, 4], [2, 4], [12, 4, 2, 4]][(r - 1) % 3], points: { show: false } });
    });
    if (plot) { plot.destroy(); }
    var axis = { stroke: css("--fg"), grid: { stroke: css("--line") }, ticks: { stroke: css("--line") } };
    plot = new uPlot({
      width: Math.max(240, chart.clientWidth), height: 340, padding: [12, 14, 0, 0],
      scales: { x: { time: false }, y: { range: function (u, a, b) { return [Math.min(0, a), b > 0 ? b * 1.05 : 1]; } } },
      axes: [
        Object.assign({}, axis, {
          splits: function (u) {
            var years = (last - first) / 12, room = Math.max(1, Math.floor(u.width / 70)), out = [];
            var step = 12 * Math.max(1, Math.ceil(years / room));
            if (years < 2) { step = 3; }
            for (var t = Math.ceil(first / step) * step; t < last; t += step) { out.push(t); }
            return out;
          },
          values: function (u, ts) { return ts.map(function (t) { return t % 12 ? label(t) : String(t / 12); }); }
        }),
        Object.assign({}, axis, {
          size: 74, values: function (u, vs) {
            var by = countedIn(vs);
            return vs.map(function (v) { return unit === "share" ? Math.round(v * 100) + " %" : (v / by[0]).toLocaleString("en-US") + (v ? by[1] : ""); });
          }
        })
      ],
      series: series, bands: bands, legend: { show: false },
      cursor: { drag: { x: false, y: false } },
      hooks: { setCursor: [function (u) { if (u.cursor.idx !== null) { tell(u.cursor.idx); } }] }
    }, columns, chart);
    var meaning = shown.length ? shown[0].series.meaning : "not in these results";
    byId("meaning").textContent = meaning + (unit && unit !== "share" ? " (" + unit + ")" : "");
    chart.setAttribute("aria-label", meaning + ". Arrow keys move through the months, Page Up and Page Down through the years.");
    tell(index);
  }
  chart.addEventListener("keydown", function (event) {
    var step = { ArrowRight: 1, ArrowLeft: -1, PageDown: 12, PageUp: -12, Home: -1e6, End: 1e6 }[event.key];
    if (step === undefined) { return; }
    event.preventDefault();
    var to = Math.max(0, Math.min(months.length - 1, index + step));
    plot.setCursor({ left: plot.valToPos(months[to], "x"), top: 40 });
    tell(to);
  });
  metric.addEventListener("change", draw);
  scope.addEventListener("change", draw);
  var again = null;
  window.addEventListener("resize", function () { clearTimeout(again); again = setTimeout(draw, 100); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details").forEach(function (d) { if (!d.classList.contains("long")) { d.open = true; } });
  });
  index = months.length - 1;
  draw();
}());
