{# Growth of a share between two values of `growth_femtos` or `share_femtos`; 1 where they agree. #}
{% macro growth_between(later, earlier) -%}
    exp(({{ later }} - {{ earlier }})::double / 1e15)
{%- endmacro %}
