// A figure and its last minute, drawn on a small canvas.

const SPAN_MS = 60_000;

export class Plot {
  // format turns a value into text; floor is the least that the top of the scale stands for.
  constructor(parent, { title, format, floor }) {
    this.format = format;
    this.floor = floor;
    this.points = [];
    const box = document.createElement("div");
    box.className = "plot";
    box.innerHTML = "<header><h2></h2><output>–</output></header><canvas></canvas>";
    box.querySelector("h2").textContent = title;
    this.output = box.querySelector("output");
    this.canvas = box.querySelector("canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", `${title} over the last minute`);
    parent.append(box);
  }

  add(value) {
    const now = performance.now();
    if (value != null) {
      this.points.push({ time: now, value });
      this.output.textContent = this.format(value);
    }
    while (this.points.length && this.points[0].time < now - SPAN_MS - 1000) this.points.shift();
    this.draw(now);
  }

  clear() {
    this.points = [];
    this.output.textContent = "–";
    this.draw(performance.now());
  }

  draw(now) {
    const ratio = window.devicePixelRatio || 1;
    const width = this.canvas.clientWidth;
    const height = this.canvas.clientHeight;
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    const context = this.canvas.getContext("2d");
    context.scale(ratio, ratio);
    const style = getComputedStyle(document.documentElement);
    context.strokeStyle = style.getPropertyValue("--line");
    context.beginPath();
    context.moveTo(0, height - 0.5);
    context.lineTo(width, height - 0.5);
    context.stroke();
    if (this.points.length < 2) return;

    const top = Math.max(this.floor, ...this.points.map((p) => p.value)) * 1.15;
    const x = (p) => width - ((now - p.time) / SPAN_MS) * width;
    const y = (p) => height - 2 - (p.value / top) * (height - 4);
    context.beginPath();
    this.points.forEach((p, i) => (i ? context.lineTo(x(p), y(p)) : context.moveTo(x(p), y(p))));
    context.lineWidth = 1.6;
    context.lineJoin = "round";
    context.strokeStyle = style.getPropertyValue("--accent");
    context.stroke();
    context.lineTo(x(this.points.at(-1)), height);
    context.lineTo(x(this.points[0]), height);
    context.globalAlpha = 0.12;
    context.fillStyle = style.getPropertyValue("--accent");
    context.fill();
  }
}
