// The page is a client of the public API like any other.

/** A failure that can be shown: what happened, and what to do about it. */
export class Failure extends Error {
  constructor(title, detail) {
    super(detail);
    this.title = title;
  }
}

async function call(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure("The service cannot be reached", "Check the connection, then try again.");
  }
  const body = await response.json().catch(() => null);
  if (response.ok && body) return body;
  throw new Failure(body?.title ?? "The service failed", body?.detail ?? `It answered with status ${response.status}.`);
}

/** Analyse a photo; resolves to the answer of `POST /v1/analyses` with the maps of all classes. */
export function analyse(photo, signal) {
  const form = new FormData();
  // The name of a file can tell who is on the photo; the service does not need it.
  form.append("file", photo, "photo");
  return call("v1/analyses?maps=all", { method: "POST", body: form, signal });
}

/** What the service says of its model. */
export const describeModel = () => call("v1/model");

let classes;

/** The answers that the service can give; asked for once. */
export function listClasses() {
  classes ??= call("v1/classes").catch((error) => {
    classes = undefined; // or one failure would be remembered for good
    throw error;
  });
  return classes;
}
