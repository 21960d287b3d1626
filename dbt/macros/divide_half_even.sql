{# Integer quotient rounded half to even, exact for HUGEINT; `denominator` is a positive literal. #}
{% macro divide_half_even(numerator, denominator) -%}
    (
        sign({{ numerator }})::hugeint * (
            abs({{ numerator }}) // {{ denominator }}
            + case
                when 2 * (abs({{ numerator }}) % {{ denominator }}) > {{ denominator }} then 1
                when 2 * (abs({{ numerator }}) % {{ denominator }}) = {{ denominator }}
                    then abs({{ numerator }}) // {{ denominator }} % 2
                else 0
            end
        )
    )
{%- endmacro %}
