{%- set spans = [5, 21, 63, 252] -%}

with prices as (

    select
        symbol,
        session_date,
        close,
        share_ratio * close + cash as worth,
        growth_femtos
    from {{ ref('int_adjustment') }}

),

lagged as (

    select
        *,
        lag(close) over sessions as close_1_ago,
        {%- for span in spans %}
        lag(close, {{ span }}) over sessions as close_{{ span }}_ago,
        lag(growth_femtos, {{ span }}) over sessions as growth_{{ span }}_ago
        {{- "," if not loop.last }}
        {%- endfor %}
    from prices
    window sessions as (partition by symbol order by session_date)

),

returns as (

    select
        symbol,
        session_date,
        ln(worth / close_1_ago) as log_return_1d,
        {%- for span in spans %}
        ln(close / close_{{ span }}_ago)
            + (growth_femtos - growth_{{ span }}_ago)::double / 1e15 as log_return_{{ span }}d,
        {%- endfor %}
        worth / close_1_ago - 1 as simple_return_1d,
        ln(close_21_ago / close_252_ago)
            + (growth_21_ago - growth_252_ago)::double / 1e15 as momentum_12_1
    from lagged

)

select * from returns
order by symbol, session_date
