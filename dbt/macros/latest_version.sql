{# Keeps, per key, the row that was known last: for `qualify`. #}
{% macro is_latest_version(key) -%}
    row_number() over (partition by {{ key | join(', ') }} order by known_at desc) = 1
{%- endmacro %}
