{#
  Keeps, per key, what was known last: for `qualify`. Two versions with the same `known_at` both
  stay, for the key test to find, rather than one of them by chance.
#}
{% macro is_latest_version(key) -%}
    rank() over (partition by {{ key | join(', ') }} order by known_at desc) = 1
{%- endmacro %}
