// The page of a connected creator. It talks to its own origin only: the gateway adds the access token on the way
// to Fanvue, so there is none in here.

const $ = (id) => document.getElementById(id);
const fans = new Map(); // uuid -> the fan's row in the list of chats
const shown = new Set(); // ids of events, since a stream that reconnects tells the last ones again
let me = "";
let open = null; // the fan whose chat is open

// --- Fanvue's API ------------------------------------------------------------------------------------------------

async function fanvue(path, body) {
  const headers = { "Fankeep-Request": "1" }; // other sites' pages cannot send this
  if (body) headers["Content-Type"] = "application/json";
  const answer = await fetch(`/api/fanvue${path}`, {
    method: body ? "POST" : "GET",
    headers,
    body: body && JSON.stringify(body),
  });
  if (answer.ok) return answer.json();
  const { error } = await answer.json().catch(() => ({}));
  // The server knows what to show to somebody whose session or connection has ended.
  if (error === "reconnect_required" || error === "not_connected") location.reload();
  throw new Error(answer.status === 401 ? "Fanvue no longer accepts this connection." : "Fanvue did not answer.");
}

function problem(error) {
  $("problem").textContent = `${error.message} Try again in a moment.`;
  $("problem").hidden = false;
}

// --- Building the page; texts of fans are only ever put in as text -----------------------------------------------

function element(name, className, ...content) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...content);
  return made;
}

function time(iso) {
  const made = element("time", "quiet", new Date(iso).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  made.dateTime = iso;
  return made;
}

const initials = (name) => name.split(/\s+/).map((word) => word[0] ?? "").join("").slice(0, 2).toUpperCase();
const nameOf = (uuid) => fans.get(uuid)?.user.displayName ?? "Somebody";
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

async function showProfile() {
  const profile = await fanvue("/users/me");
  me = profile.uuid;
  $("name").textContent = profile.displayName;
  $("face").textContent = initials(profile.displayName);
  const counts = profile.fanCounts;
  const fanCount = counts ? ` · ${plural(counts.subscribersCount, "subscriber")}` : "";
  $("about").textContent = `@${profile.handle}${fanCount}`;
}

async function showChats() {
  const { data } = await fanvue("/chats?size=20");
  for (const chat of data) fans.set(chat.user.uuid, chat);
  const focused = document.activeElement?.dataset?.fan;
  $("chats").replaceChildren(...data.map(chatRow));
  if (focused) $("chats").querySelector(`[data-fan="${focused}"]`)?.focus();
}

function chatRow(chat) {
  const { uuid, displayName } = chat.user;
  const face = element("span", "face", initials(displayName));
  face.ariaHidden = "true";
  const last = element("span", "last quiet", chat.lastMessage?.text ?? (chat.lastMessage ? "(no text)" : "No message yet"));
  const row = element("button", "chat", face, element("span", "words", element("strong", "", displayName), last));
  if (chat.unreadMessagesCount) row.append(element("span", "count", `${chat.unreadMessagesCount} new`));
  row.dataset.fan = uuid;
  row.ariaCurrent = String(uuid === open);
  row.addEventListener("click", () => readChat(uuid).catch(problem));
  return element("li", "", row);
}

async function readChat(uuid) {
  await openChat(uuid, "&markAsRead=true"); // the gateway reads without leaving a trace unless it is asked to
  $("chat-title").scrollIntoView({ block: "nearest" });
  await showChats();
}

async function openChat(uuid, more = "") {
  if (open !== uuid) $("sent").textContent = "";
  open = uuid;
  for (const row of $("chats").querySelectorAll("button")) row.ariaCurrent = String(row.dataset.fan === uuid);
  const { data } = await fanvue(`/chats/${uuid}/messages?size=20${more}`);
  if (open !== uuid) return; // another chat was chosen meanwhile
  $("chat-title").textContent = nameOf(uuid);
  $("choose").hidden = true;
  $("messages").hidden = $("reply").hidden = false;
  $("messages").replaceChildren(...data.reverse().map(messageRow));
  $("messages").scrollTop = $("messages").scrollHeight;
}

function messageRow(message) {
  const price = message.pricing?.USD?.price;
  const text = message.text ?? (message.type === "TIP" ? `Tip${price ? `: $${(price / 100).toFixed(2)}` : ""}` : "(no text)");
  const row = element("li", message.sender.uuid === me ? "mine" : "theirs", element("span", "", text));
  if (message.sentAt) row.append(time(message.sentAt));
  return row;
}

$("reply").addEventListener("submit", async (submitted) => {
  submitted.preventDefault();
  const button = $("reply").querySelector("button");
  button.disabled = true; // two clicks, one message
  try {
    await fanvue(`/chats/${open}/message`, { text: $("text").value });
    $("reply").reset();
    $("sent").textContent = "Sent.";
    await Promise.all([openChat(open), showChats()]);
  } catch (error) {
    problem(error);
  } finally {
    button.disabled = false;
    $("text").focus();
  }
});

$("text").addEventListener("keydown", (key) => {
  if (key.key === "Enter" && (key.ctrlKey || key.metaKey)) $("reply").requestSubmit();
});

// --- What happens, live ------------------------------------------------------------------------------------------

// Of a creator who was not connected yet, fankeep keeps that something happened and not how much it was.
const money = ({ gross, price, currency }) =>
  (gross ?? price) == null ? "" : ` ${((gross ?? price) / 100).toLocaleString([], { style: "currency", currency: currency ?? "USD" })}`;
const sentences = {
  "creator.message.received": (name) => `${name} wrote to you`,
  "creator.message.sent": (name) => `You wrote to ${name}`,
  "creator.message.read": (name) => `You read what ${name} wrote`,
  "creator.message.deleted": (name) => `A message with ${name} was deleted`,
  "creator.message.reaction": () => "A fan reacted to a message",
  "creator.follow.created": (name) => `${name} follows you`,
  "creator.subscription.activated": (name) => `${name} subscribed`,
  "creator.subscription.renewed": (name) => `${name} renewed the subscription`,
  "creator.subscription.deactivated": (name) => `The subscription of ${name} has ended`,
  "creator.payment.succeeded": (name, data) => `${name} paid${money(data)}`,
  // The older names of the same facts: of each fact one name comes, the older one as long as there is no other.
  "message.received": (name) => `${name} wrote to you`,
  "message.read": (name) => `You read what ${name} wrote`,
  "follow.new": (name) => `${name} follows you`,
  "subscription.new": (name) => `${name} subscribed`,
  "purchase.new": (name, data) => `${name} paid${money(data)}`,
  "tip.new": (name, data) => `${name} paid${money(data)}`,
};

// Events hold ids and no names: fankeep keeps as little as it can. The name comes from the list of chats.
const fanOf = ({ fan, follower, purchaser, sender, counterpartUuid }) =>
  (fan ?? follower ?? purchaser ?? sender)?.uuid ?? counterpartUuid;

async function happened(event) {
  if (shown.has(event.id)) return;
  shown.add(event.id);
  const fan = fanOf(event.data);
  const old = Date.now() - Date.parse(event.timestamp) > 60_000;
  if (!old) await Promise.all([showChats(), fan && fan === open && openChat(fan)]).catch(problem);
  const sentence = sentences[event.type]?.(nameOf(fan), event.data) ?? "Something new happened";
  const kind = element("code", "quiet", event.type);
  $("live").prepend(element("li", "", element("strong", "", sentence), time(event.timestamp), kind));
  while ($("live").children.length > 50) $("live").lastChild.remove();
  $("nothing").hidden = true;
}

function watch() {
  const stream = new EventSource("/live");
  let queue = Promise.resolve(); // one after the other, in order
  stream.onopen = () => ($("pulse").textContent = "connected");
  stream.onmessage = ({ data }) => (queue = queue.then(() => happened(JSON.parse(data))));
  stream.onerror = () => {
    $("pulse").textContent = "reconnecting…";
    if (stream.readyState === EventSource.CLOSED) location.reload(); // signed out, in this window or another
  };
}

try {
  await Promise.all([showProfile(), showChats()]);
} catch (error) {
  problem(error);
}
watch();
