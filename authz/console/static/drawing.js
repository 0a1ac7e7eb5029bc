// Numbers, times and nodes as people read them. Text enters the page as text only: nothing here parses markup.

const SVG = "http://www.w3.org/2000/svg";

export function node(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export const byId = (id) => document.getElementById(id);

export function number(value) {
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} M`;
  if (value >= 1e4) return `${(value / 1e3).toFixed(1)} k`;
  return value >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1);
}

export function duration(seconds) {
  if (seconds < 1e-3) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 1) return `${(seconds * 1e3).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
  return `${seconds.toFixed(1)} s`;
}

export function age(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 129600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} d`;
}

// The duration that a share of the checks stayed below, between the bounds of its bucket; null without checks.
export function quantile(share, bounds, counts) {
  let left = share * counts.reduce((sum, count) => sum + count, 0);
  if (!left) return null;
  for (const [place, count] of counts.entries()) {
    if (left <= count) {
      const low = place ? bounds[place - 1] : 0;
      return place < bounds.length ? low + (bounds[place] - low) * (left / count) : low;
    }
    left -= count;
  }
  return bounds.at(-1);
}

// Stacked bars, the newest on the right; each moment is {allow, deny, redirect} per second.
export function chart(svg, moments, room) {
  const top = Math.max(1, ...moments.map((moment) => moment.allow + moment.deny + moment.redirect));
  svg.setAttribute("viewBox", `0 0 ${room} 100`);
  const bars = [shape("line", { class: "base", x1: 0, x2: room, y1: 99.5, y2: 99.5 })];
  moments.forEach((moment, place) => {
    let y = 99;
    for (const decision of ["allow", "redirect", "deny"]) {
      const height = (moment[decision] / top) * 97;
      y -= height;
      const x = room - moments.length + place + 0.12;
      if (height) bars.push(shape("rect", { class: decision, x, y, width: 0.76, height }));
    }
  });
  svg.replaceChildren(...bars);
}

function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
