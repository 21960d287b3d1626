{#
  A whole number as bigint, null if it is. Beyond 4e18 it counts as that: what one account claims
  must not stop the build of all, and a bigint still holds the difference of two.
#}
{% macro within_bigint(x) -%}
    case
        when {{ x }} > 4000000000000000000 then 4000000000000000000
        when {{ x }} < -4000000000000000000 then -4000000000000000000
        else {{ x }}
    end::bigint
{%- endmacro %}
