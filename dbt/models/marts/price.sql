{{ config(materialized='view') }}

with panel as (

    select * from {{ ref('int_panel') }}

),

last_bars as (

    select
        symbol,
        cumulative_share_ratio as last_share_ratio,
        cumulative_growth as last_growth
    from {{ ref('int_last_bar') }}

),

in_last_terms as (

    select
        panel.*,
        panel.cumulative_share_ratio / last_bars.last_share_ratio as shares_left,
        panel.cumulative_growth / last_bars.last_growth as growth_left
    from panel
    inner join last_bars on panel.symbol = last_bars.symbol

),

prices as (

    select
        symbol,
        session_date,
        source,
        open,
        high,
        low,
        close,
        close_micros,
        volume,
        price_basis,
        open * shares_left as split_adjusted_open,
        high * shares_left as split_adjusted_high,
        low * shares_left as split_adjusted_low,
        close * shares_left as split_adjusted_close,
        volume / shares_left as split_adjusted_volume,
        close * growth_left as total_return_close,
        log_return_1d,
        exp(log_return_1d) - 1 as simple_return_1d,
        dollar_volume,
        known_at,
        known_at_basis
    from in_last_terms

)

select * from prices
