// Saves what is seen: the kernel makes tables and graphs, the page the picture. Text of the data stays text.

const LOOK = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "opacity", "paint-order"];
LOOK.push("font-family", "font-size", "font-weight", "text-anchor", "dominant-baseline", "visibility");
const BAND = 26; // px for the title above the picture
const LINE = 18; // px for a line of the caption below it

function download(name, parts, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(parts, { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  return `Saved ${name}, where the browser puts downloads.`;
}

/** Words in lines of at most so many px. */
function breakLines(text, most) {
  const ruler = document.createElement("canvas").getContext("2d");
  ruler.font = "13px sans-serif";
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (ruler.measureText(longer).width <= most) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.filter(Boolean);
}

/** The picture as it is seen, with its colours written into it; undefined where none is in sight. */
function pictureOf(explorer) {
  const seen = [...explorer.querySelectorAll(".ssmlab-graph svg[role=application]")].find((each) => each.clientWidth);
  if (!seen) return undefined;
  const copy = seen.cloneNode(true);
  const copies = [copy, ...copy.querySelectorAll("*")];
  [seen, ...seen.querySelectorAll("*")].forEach((element, i) => {
    const look = getComputedStyle(element);
    for (const name of LOOK) copies[i].style.setProperty(name, look.getPropertyValue(name));
  });
  const caption = seen.closest(".ssmlab-graph").querySelector(".caption")?.textContent ?? "";
  const lines = breakLines(caption, seen.clientWidth - 16);
  const [width, height] = [seen.clientWidth, seen.clientHeight + BAND + LINE * (lines.length + 0.5)];
  const frame = document.createElementNS(copy.namespaceURI, "svg");
  for (const [name, value] of Object.entries({ width, height, viewBox: `0 ${-BAND} ${width} ${height}` }))
    frame.setAttribute(name, value);
  const root = getComputedStyle(seen.closest(".ssmlab-graph"));
  frame.style.background = getComputedStyle(seen.parentElement).backgroundColor;
  const words = (text, y) => {
    const line = document.createElementNS(copy.namespaceURI, "text");
    Object.entries({ x: 8, y, fill: root.color, "font-family": "sans-serif", "font-size": 13 }).forEach((each) =>
      line.setAttribute(...each),
    );
    line.textContent = text;
    return line;
  };
  for (const [name, value] of Object.entries({ width, height: seen.clientHeight })) copy.setAttribute(name, value);
  const below = lines.map((line, i) => words(line, seen.clientHeight + LINE * (i + 1)));
  frame.append(words(seen.getAttribute("aria-label"), -9), copy, ...below);
  return { svg: new XMLSerializer().serializeToString(frame), width, height };
}

/** Saves the picture and says so. */
async function savePicture(kind, explorer) {
  const picture = pictureOf(explorer);
  if (!picture) return "Not saved: open the graph first, a picture is saved as it is seen.";
  if (kind === "SVG") return download("picture.svg", [picture.svg], "image/svg+xml");
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(picture.svg)}`;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: 2 * picture.width, height: 2 * picture.height });
  const pen = canvas.getContext("2d");
  pen.fillStyle = getComputedStyle(explorer.querySelector(".ssmlab-graph .canvas")).backgroundColor;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((done) => canvas.toBlob(done));
  return download("picture.png", [blob], "image/png");
}

function render({ model, el }) {
  const label = document.createElement("label");
  const [choice, button] = ["select", "button"].map((tag) => document.createElement(tag));
  choice.append(...model.get("kinds").map((kind) => new Option(kind)));
  label.append("Save as ", choice);
  button.textContent = "Save";
  el.classList.add("ssmlab-saver");
  el.append(label, button);
  const tell = (told) => model.send({ told });
  button.onclick = async () => {
    const kind = choice.value;
    if (!["SVG", "PNG"].includes(kind)) model.send({ kind });
    else tell(await savePicture(kind, el.closest(".ssmlab-explorer")));
  };
  const answered = ({ name }, buffers) => name && tell(download(name, buffers, "application/octet-stream"));
  model.on("msg:custom", answered);
  return () => model.off("msg:custom", answered);
}

export default { render };
