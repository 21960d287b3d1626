{#
  The versions of a raw dataset that were known at the cut and that quality did not reject. `rows`
  is a relation with the columns of `key` and `known_at`.
#}
{% macro known_versions(rows, dataset, key) -%}
    select {{ rows }}.*
    from {{ rows }}
    inner join {{ ref('stg_cut') }} as cut
        on {{ rows }}.source = cut.source
        and {{ rows }}.known_at <= cut.known_at_cut
        {%- if 'session_date' in key %}
        and {{ rows }}.session_date <= cut.session_date
        {%- endif %}
    anti join {{ source('lake', 'quarantined_' ~ dataset) }} as rejected
        on {{ rows }}.known_at = rejected.known_at::timestamptz
        {%- for column in key %}
        and {{ rows }}.{{ column }} = rejected.{{ column }}
        {%- endfor %}
{%- endmacro %}

{# Of each entity of a raw dataset, the newest of those versions. #}
{% macro accepted_versions(rows, dataset, key) -%}
    {{ known_versions(rows, dataset, key) }}
    qualify rank() over (
        partition by
            {%- for column in key %} {{ rows }}.{{ column }} {{- "," if not loop.last }} {%- endfor %}
        order by {{ rows }}.known_at desc
    ) = 1
{%- endmacro %}
