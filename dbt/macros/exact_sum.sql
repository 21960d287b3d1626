{#
  Sum of small numbers at a resolution of 1e-15, null where there are none: whole numbers add up to
  the same bits in any order and with any number of threads.
#}
{% macro exact_sum(x) -%}
    (sum(round_even({{ x }} * 1e15::double, 0)::hugeint)::double / 1e15::double)
{%- endmacro %}
