"""The two tables of the view in YAML: templates, in which each name is escaped."""

SERVERS = r"""
{#- A name is text: each mark that Markdown could take for its own is escaped. -#}
{%- macro text(name) -%}
{{ name | string | regex_replace('\\s+', ' ') | regex_replace('([!-/:-@\\[-`{-~])', '\\\\\\1') }}
{%- endmacro -%}
{%- set servers = integration_entities('qbittorrent_resilient') | expand
    | selectattr('domain', 'eq', 'sensor')
    | selectattr('attributes.options', 'defined')
    | selectattr('attributes.options', 'contains', 'ok') | list -%}
| Server | Status | For |
|:--|:--|:--|
{%- for server in servers %}
{%- set id = server.entity_id %}
| {{ text(device_attr(id, 'name_by_user') or device_attr(id, 'name')) }}
{{- ' | ' }}{{ '✅' if server.state == 'ok' else '⚠️' }} {{ state_translated(id) }}
{{- ' | ' }}{{ time_since(server.last_changed) }} |
{%- endfor %}
""".strip()

LAST_EVENT = r"""
{%- macro text(name) -%}
{{ name | string | regex_replace('\\s+', ' ') | regex_replace('([!-/:-@\\[-`{-~])', '\\\\\\1') }}
{%- endmacro -%}
{%- set last = 'event.qbittorrent_resilient_magnets' -%}
{%- if state_attr(last, 'event_type') -%}
**{{ state_attr_translated(last, 'event_type') }}:**
{{- ' ' }}{{ state_attr(last, 'count') }}
{{- ' (' ~ state_attr_translated(last, 'reason') ~ ')' if state_attr(last, 'reason') }}
{{- ', ' ~ text(state_attr(last, 'instance')) if state_attr(last, 'instance') -}}
, {{ time_since(states(last) | as_datetime) }} ago

{% for name in state_attr(last, 'names') %}
{{- ', ' if not loop.first }}{{ text(name) }}
{%- endfor %}
{%- else -%}
Nothing has happened since the start.
{%- endif %}
""".strip()
