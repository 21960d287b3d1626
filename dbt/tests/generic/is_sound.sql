{#
  Every row keeps the rules of its table, in one scan: its key is its own and has no null, columns
  of `never_null` have a value, those of `bounds` lie in their range (`at_least` and `at_most`
  include the bound, `above` does not; NaN and infinities lie in none), those of `values` hold one
  of the words. Nulls pass but where they are forbidden. Selects whole rows, and the first rule that
  each of them breaks.
#}
{% test is_sound(model, key=[], never_null=[], bounds={}, values={}) %}
with judged as (

    select
        case
            {%- for column in key + never_null %}
            when {{ column }} is null then '{{ column }} is null'
            {%- endfor %}
            {%- if key %}
            when count(*) over (partition by {{ key | join(', ') }}) > 1
                then '{{ key | join(', ') }} is the key of several rows'
            {%- endif %}
            {%- for column, range in bounds.items() %}
            when not isfinite({{ column }}::double)
                {%- if 'at_least' in range %} or {{ column }} < {{ range.at_least }} {%- endif %}
                {%- if 'above' in range %} or {{ column }} <= {{ range.above }} {%- endif %}
                {%- if 'at_most' in range %} or {{ column }} > {{ range.at_most }} {%- endif %}
                then '{{ column }} is out of range'
            {%- endfor %}
            {%- for column, words in values.items() %}
            when {{ column }} not in ('{{ words | join("', '") }}') then '{{ column }} is no known word'
            {%- endfor %}
        end as broken_rule,
        *
    from {{ model }}

)

select * from judged
where broken_rule is not null
{% endtest %}
