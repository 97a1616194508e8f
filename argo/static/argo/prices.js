// Draws a signal's prices with its levels, fills and exit; the page has the same as a table.
"use strict";
{
  const { createChart, createSeriesMarkers, CandlestickSeries, LineStyle } = LightweightCharts;
  const data = JSON.parse(document.getElementById("prices").textContent);
  const box = document.getElementById("chart");
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const COLORS = { entry: "info", stop: "loss", target: "gain", exit: "warn", signal: "mark" };

  const chart = createChart(box, {
    autoSize: true,
    // Its logo would need an inline style; the caption below names TradingView instead.
    layout: { attributionLogo: false },
    rightPriceScale: { borderVisible: false },
    timeScale: { borderVisible: false },
  });
  const series = chart.addSeries(CandlestickSeries, { priceLineVisible: false, lastValueVisible: false, borderVisible: false });
  series.setData(data.bars);
  const lines = data.levels.map((level) => [level, series.createPriceLine({ price: level.price, title: level.name, lineWidth: 1, lineStyle: LineStyle.Dashed })]);
  const markers = createSeriesMarkers(series, []);

  const paint = () => {
    chart.applyOptions({
      layout: { background: { color: color("card") }, textColor: color("soft"), fontFamily: color("sans") },
      grid: { vertLines: { color: color("box") }, horzLines: { color: color("box") } },
    });
    series.applyOptions({ upColor: color("gain"), downColor: color("loss"), wickUpColor: color("gain"), wickDownColor: color("loss") });
    lines.forEach(([level, line]) => line.applyOptions({ color: color(COLORS[level.name]) }));
    markers.setMarkers(data.marks.map((mark) => ({
      time: mark.time, text: mark.text, shape: mark.shape, color: color(COLORS[mark.kind]),
      position: mark.is_above ? "aboveBar" : "belowBar",
    })));
  };
  // From 40 bars before the signal to the end: what led to it, and what became of it.
  const show = () => {
    const signal = data.marks.find((mark) => mark.kind === "signal");
    const at = data.bars.findIndex((bar) => bar.time === signal?.time);
    chart.timeScale().setVisibleLogicalRange({ from: Math.max(-1, at - 40), to: data.bars.length + 8 });
  };
  paint();
  requestAnimationFrame(show);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  new MutationObserver(paint).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}
