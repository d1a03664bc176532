// A Teams client as small as can be, for the tests of the page: it answers what teams-js 2 asks of its parent window.
// The query says how: theme, locale, token, refuse (the reason of a refused token), silent (never answers at all).

const wanted = new URLSearchParams(location.search);
const frame = document.getElementById("tab");
const told = [];
window.told = told;
window.theme = (name) => post({ func: "themeChange", args: [name] });

function post(message) {
  frame.contentWindow.postMessage(message, location.origin);
}

function contextOf() {
  return { theme: wanted.get("theme") ?? "default", locale: wanted.get("locale") ?? "en-gb", entityId: "home", frameContext: "content", tid: "t-1", userObjectId: "o-1", hostClientType: "web", hostName: "Teams" };
}

function answerTo(func, args) {
  const runtime = JSON.stringify({ apiVersion: 4, isLegacyTeams: false, supports: { app: {}, pages: {} } });
  switch (func) {
    case "initialize":
      return ["content", "web", runtime, "2.58.0"];
    case "getContext":
      return [contextOf()];
    case "authentication.getAuthToken": {
      // Silently is the third; a refusal may end once the reader was asked.
      const isRefused = wanted.has("refuse") && (args[2] === true || wanted.get("refuse") === "CancelledByUser");
      return isRefused ? [false, wanted.get("refuse")] : [true, wanted.get("token") ?? "ada"];
    }
    default:
      return undefined;
  }
}

addEventListener("message", (event) => {
  if (event.source !== frame.contentWindow || event.origin !== location.origin) return;
  const { id, uuidAsString, func, args } = event.data;
  told.push({ func, args });
  if (wanted.has("silent")) return;
  const reply = answerTo(func, args);
  if (reply) post({ id, uuidAsString, args: reply });
});

frame.src = `/?host=teams`;
