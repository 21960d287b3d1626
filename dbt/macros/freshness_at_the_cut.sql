{#
  How old a source's newest row was when the build knew the latest thing that it knows: no wall
  clock, so that a build of a past session is as fresh as it was, and of a source's rows only those
  that the build reads. What a source never delivered is not late.
#}
{% macro duckdb__collect_freshness(source, loaded_at_field, filter) %}
    {% call statement('collect_freshness', fetch_result=True, auto_begin=False) -%}
    select
        coalesce(
            max(delivered.{{ loaded_at_field }}::timestamptz), any_value(cut.known_at_cut)
        ) as max_loaded_at,
        any_value(cut.known_at_cut)::timestamptz as snapshotted_at
    from read_parquet('inputs/cut/*.parquet') as cut
    left join {{ source }} as delivered
        on delivered.source = cut.source
        and delivered.{{ loaded_at_field }} <= cut.known_at_cut
        {%- if filter %}
        and {{ filter }}
        {%- endif %}
    {%- endcall %}
    {{ return(load_result('collect_freshness')) }}
{% endmacro %}
