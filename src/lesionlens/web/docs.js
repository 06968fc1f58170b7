// The API reference, drawn from /openapi.json. Nothing is loaded from another host.
import { h } from "./dom.js";

const api = await (await fetch("openapi.json")).json();

const resolve = (schema) =>
  schema?.$ref ? api.components.schemas[schema.$ref.split("/").pop()] : (schema ?? {});

/** The type of a schema in a few words. */
function typeOf(schema) {
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.type === "array") return `list of ${schema.items ? typeOf(schema.items) : "anything"}`;
  if (schema.additionalProperties?.type || schema.additionalProperties?.$ref) {
    return `object of ${typeOf(schema.additionalProperties)} by name`;
  }
  return schema.format ?? schema.type ?? "anything";
}

/** Text in which backticks mark code. */
const prose = (text) => text.split("`").map((part, i) => (i % 2 ? h("code", {}, part) : part));

const definitions = (entries) =>
  entries.length > 0 &&
  h("dl", {}, ...entries.flatMap(([name, type, text]) => [h("dt", {}, h("code", {}, name)), h("dd", {}, h("span", { class: "quiet" }, type), ...prose(text ? `. ${text}` : ""))]));

const members = (schema) =>
  definitions(Object.entries(resolve(schema).properties ?? {}).map(([name, member]) => [name, typeOf(member), member.description]));

function response([status, { description, content = {} }]) {
  const [[type, body] = []] = Object.entries(content);
  const example = resolve(body?.schema).examples?.[0];
  return [
    h("h3", {}, status, type ? ` · ${type}` : ""),
    h("p", { class: "small" }, ...prose(description)),
    status < 400 && body?.schema && members(body.schema.items ?? body.schema),
    status < 400 && example && h("pre", { tabindex: 0 }, JSON.stringify(example, null, 2)),
  ];
}

function operation(path, method, details) {
  const body = details.requestBody?.content["multipart/form-data"]?.schema;
  return h(
    "details",
    { class: "card" },
    h("summary", {}, h("span", { class: "method" }, method.toUpperCase()), h("code", {}, path), h("span", { class: "quiet small" }, details.summary ?? "")),
    h("p", {}, ...prose(details.description ?? "")),
    details.parameters && h("h3", {}, "Parameters"),
    details.parameters && definitions(details.parameters.map((p) => [p.name, `${p.in}, ${p.required ? "required" : "optional"}`, p.description])),
    body && h("h3", {}, "Body · multipart/form-data"),
    body && members(body),
    ...Object.entries(details.responses).flatMap(response),
  );
}

const groups = new Map();
for (const [path, methods] of Object.entries(api.paths)) {
  for (const [method, details] of Object.entries(methods)) {
    const group = details.tags?.[0] ?? "Other";
    groups.set(group, [...(groups.get(group) ?? []), operation(path, method, details)]);
  }
}
document.getElementById("reference").append(
  ...[...groups].flatMap(([name, operations]) => [h("h2", {}, name), ...operations]),
);
