{#- The market is the first of models.vocabulary.MARKET_SYMBOLS that has bars. -#}
{{ config(materialized='view') }}

{%- set market_symbols = ['SPY', 'SP500', '^GSPC'] %}

with panel as (

    select
        symbol,
        session_date,
        close,
        cumulative_growth,
        log_return_1d,
        lag(session_date) over (
            partition by symbol order by session_date
        ) as previous_session_date
    from {{ ref('int_panel') }}

),

market_symbol as (

    select symbol
    from {{ ref('int_last_bar') }}
    where list_contains({{ market_symbols }}, symbol)
    order by list_position({{ market_symbols }}, symbol)
    limit 1

),

market as (

    select
        panel.session_date,
        ln(panel.close * panel.cumulative_growth) as log_worth
    from {{ ref('int_panel') }} as panel
    where panel.symbol = (select symbol from market_symbol)

),

sessions as (

    select session_date, days_since_last_session, risk_free_return_1d
    from {{ ref('session_features') }}

),

compared as (

    select
        panel.symbol,
        panel.session_date,
        panel.previous_session_date,
        panel.log_return_1d,
        exp(panel.log_return_1d) - 1 as simple_return_1d,
        market.log_worth - market_before.log_worth as market_log_return_1d,
        case
            when panel.session_date - panel.previous_session_date
                = sessions.days_since_last_session
            then sessions.risk_free_return_1d
        end as risk_free_return_1d
    from panel
    left join sessions on panel.session_date = sessions.session_date
    left join market on panel.session_date = market.session_date
    left join market as market_before
        on panel.previous_session_date = market_before.session_date

),

daily_returns as (

    select
        symbol,
        session_date,
        previous_session_date,
        log_return_1d,
        simple_return_1d,
        market_log_return_1d,
        exp(market_log_return_1d) - 1 as market_simple_return_1d,
        log_return_1d - market_log_return_1d as log_excess_over_market_1d,
        risk_free_return_1d,
        simple_return_1d - risk_free_return_1d as excess_over_risk_free_1d
    from compared

)

select * from daily_returns
