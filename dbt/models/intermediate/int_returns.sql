{%- set spans = [1, 5, 21, 63, 252] -%}

with prices as (

    select symbol, session_date, close from {{ ref('stg_prices') }}

),

lagged as (

    select
        symbol,
        session_date,
        close,
        {%- for span in spans %}
        lag(close, {{ span }}) over sessions as close_{{ span }}_ago {{- "," if not loop.last }}
        {%- endfor %}
    from prices
    window sessions as (partition by symbol order by session_date)

),

returns as (

    select
        symbol,
        session_date,
        {%- for span in spans %}
        ln(close / close_{{ span }}_ago) as log_return_{{ span }}d,
        {%- endfor %}
        close / close_1_ago - 1 as simple_return_1d,
        ln(close_21_ago / close_252_ago) as momentum_12_1
    from lagged

)

select * from returns
order by symbol, session_date
