/** The product's mark: two wheels and what joins them. */
export function logo(): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "logo");
  svg.setAttribute("viewBox", "0 0 32 32");
  svg.setAttribute("aria-hidden", "true");
  for (const cx of [9, 23]) svg.append(part("circle", { cx, cy: 19, r: 6 }));
  svg.append(part("path", { d: "M9 19l4.500-9h6l3.500 9" }));
  return svg;
}

function part(name: string, attributes: Record<string, string | number>): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";
