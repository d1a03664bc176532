/** The signs of the page: strokes in a square of 24, drawn in the colour of the text. */

const PATHS = {
  available: ["M5 12.5l4.5 4.5L19 7.5"],
  break: ["M9 5.5v13", "M15 5.5v13"],
  offline: ["M6 12h12"],
  ringing: ["M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15z", "M10.3 21a2 2 0 0 0 3.4 0"],
  talking: [
    "M8.2 4.5 6 5.2c-1 .4-1.600 1.300-1.500 2.400.6 6.300 5.600 11.300 11.900 11.900 1.100.1 2-.5 2.400-1.500l.7-2.200-4-2.100-1.800 1.800c-2.200-1-3.900-2.700-4.900-4.900l1.800-1.800z",
  ],
  wrap_up: ["M4.500 19.500l1-4L16 5l3 3L8.500 18.500z", "M13.500 7.500l3 3"],
  resting: ["M12 4.500 21 19.500H3z", "M12 10.500v4", "M12 17v.2"],
  clock: ["M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17z", "M12 7.500V12l3 2"],
  menu: ["M6 6.500h.1", "M12 6.500h.1", "M18 6.500h.1", "M6 12h.1", "M12 12h.1", "M18 12h.1", "M12 17.500h.1"],
  waiting: ["M7 4h10", "M7 20h10", "M8 4c0 4 8 4.500 8 8s-8 4-8 8", "M16 4c0 4-8 4.500-8 8s8 4 8 8"],
  transfer: ["M4 12h15", "M13.500 6.500 19 12l-5.500 5.500"],
  end: ["M6.500 6.500l11 11", "M17.500 6.500l-11 11"],
  down: ["M6 9.500l6 6 6-6"],
  more: ["M12 5.500h.1", "M12 12h.1", "M12 18.500h.1"],
  why: ["M9 9.200a3 3 0 1 1 4.600 2.500c-1 .700-1.600 1.300-1.600 2.500", "M12 17.800h.1"],
  priority: ["M12 19V5.500", "M6.500 11 12 5.500 17.500 11"],
  person: ["M12 4.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7z", "M5 20c.5-4 3.200-6 7-6s6.500 2 7 6"],
  people: [
    "M9 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
    "M3.500 19c.4-3.400 2.600-5.200 5.500-5.200s5.100 1.800 5.500 5.200",
    "M15.500 5.500a2.800 2.800 0 0 1 0 5.300",
    "M17.500 14.300c1.800.8 2.800 2.400 3 4.700",
  ],
  key: ["M8 10.500a4 4 0 1 0 0 8 4 4 0 0 0 0-8z", "M11 11.700 19 4", "M15.500 7.300l2.700 2.700"],
  leave: ["M14 5H6v14h8", "M10.500 12H20", "M16.500 8.500 20 12l-3.500 3.500"],
  find: ["M10.500 4.500a6 6 0 1 0 0 12 6 6 0 0 0 0-12z", "M15 15l5 5"],
  house: ["M4.500 20V8l7.500-4 7.500 4v12z", "M9.500 20v-5h5v5"],
  list: ["M8.500 6.500H20", "M8.500 12H20", "M8.500 17.500H20", "M4.500 6.500h.1", "M4.500 12h.1", "M4.500 17.500h.1"],
  grid: ["M4.500 4.500h6v6h-6z", "M13.500 4.500h6v6h-6z", "M4.500 13.500h6v6h-6z", "M13.500 13.500h6v6h-6z"],
  play: ["M8 5.500v13l11-6.500z"],
  dot: ["M12 12h.1"],
} as const;

export type IconName = keyof typeof PATHS;

/** A sign. It says nothing that the text beside it does not, and is not heard. */
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  for (const path of PATHS[name]) {
    const stroke = document.createElementNS(SVG, "path");
    stroke.setAttribute("d", path);
    svg.append(stroke);
  }
  return svg;
}

/** Changes the sign in an element if it is another one. */
export function showIcon(place: Element, name: IconName): void {
  if (place.firstElementChild?.classList.contains(`icon-${name}`)) return;
  place.replaceChildren(icon(name));
}

const SVG = "http://www.w3.org/2000/svg";
