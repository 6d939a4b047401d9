"use strict";
(() => {
  const read = (id) => document.getElementById(id).textContent;
  const report = JSON.parse(read("report"));
  const charts = read("charts");

  // Names of layers give way on a narrow screen
  const specs = (width) =>
    JSON.parse(charts, (key, value) =>
      key === "labelLimit" ? Math.min(value, Math.round(width * 0.38)) : value);

  const datasets = (section) => ({
    rows: section.rows,
    marks: Object.entries(section.marks).map(([name, value]) => ({ name, value })),
    span: [section.marks],
  });

  const quoted = (value) => {
    const text = value === null ? "" : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };

  const csv = (section) => {
    const keys = section.columns.map((column) => column.key);
    const lines = [keys, ...section.rows.map((row) => keys.map((key) => row[key]))];
    return lines.map((line) => line.map(quoted).join(",") + "\r\n").join("");
  };

  const offer = (name, kind, text) => {
    const link = document.querySelector(`#${name} a[download$=".${kind}"]`);
    const type = kind === "csv" ? "text/csv" : "application/json";
    if (link) link.href = URL.createObjectURL(new Blob([text], { type }));
  };

  const views = {};
  const draw = async (section) => {
    const place = document.querySelector(`#${section.name} .chart`);
    if (!place) return;
    const spec = specs(place.clientWidth)[section.name];
    const options = { mode: "vega-lite", renderer: "svg", actions: false, ast: true };
    const drawn = await vegaEmbed(place, { ...spec, datasets: datasets(section) }, options);
    views[section.name] = drawn.view;
  };

  const all = async () => {
    for (const section of report.sections) {
      offer(section.name, "csv", csv(section));
      offer(section.name, "json", JSON.stringify(section, null, 2));
    }
    await Promise.all(report.sections.map(draw));
    window.edgekitReport = { report, views, csv };
    document.documentElement.dataset.drawn = "yes";
  };
  all();
})();
