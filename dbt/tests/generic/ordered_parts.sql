{#
  Rows of each part ascend by symbol and session, without a second row for a key: in file order,
  each row is compared with the one before. Reads the parts that this build wrote.
#}
{% test ordered_parts(model) %}
{%- set parts = written_parts() %}
with in_file_order as (

    select
        filename,
        symbol,
        session_date,
        lag(filename) over () as filename_before,
        lag(symbol) over () as symbol_before,
        lag(session_date) over () as session_date_before
    from
        {%- if parts %} read_parquet([{{ parts | join(', ') }}], filename = true)
        {%- else %} (select *, null::varchar as filename from {{ model }} where false)
        {%- endif %}

)

select * from in_file_order
where filename = filename_before
    and (
        symbol < symbol_before
        or (symbol = symbol_before and session_date <= session_date_before)
    )
{% endtest %}
