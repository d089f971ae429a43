"use strict";
// Draws every figure from its data block: those in view first, the others one by one when the browser is idle.
(() => {
  const config = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };
  const plots = [...document.querySelectorAll(".plot")];
  const draw = async (plot) => {
    const figure = JSON.parse(document.getElementById(`${plot.id}-data`).textContent);
    await Plotly.newPlot(plot, figure.data, figure.layout, config);
    plot.dataset.drawn = "true";
  };
  const rest = plots.slice();
  const next = async () => {
    const plot = rest.shift();
    if (!plot) {
      document.documentElement.dataset.drawn = "true";
      return;
    }
    await draw(plot);
    setTimeout(next);
  };
  next();

  // Paper is narrower than most windows: redraw at the width of the printed column, and back afterwards.
  const resize = (page) =>
    plots.forEach((plot) => {
      const columns = plot.closest(".row")?.children.length ?? 1;
      const width = (page - 20 * (columns - 1)) / columns;
      Plotly.relayout(plot, page ? { width, autosize: false } : { width: null, autosize: true });
    });
  addEventListener("beforeprint", () => resize(680));
  addEventListener("afterprint", () => resize(0));
})();
