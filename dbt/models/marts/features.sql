{#-
  The panel's features, what follows from one or two of them by arithmetic, and what all symbols of
  a session share. Levels follow from their ratio to the close, which says them more exactly than
  a level of single precision would.
-#}
{{ config(materialized='view') }}

{%- set sma_spans = [5, 10, 21, 50, 100, 200] -%}
{%- set ema_spans = [5, 10, 12, 21, 26, 50, 100, 200] %}

with panel as (

    select * from {{ ref('int_panel') }}

),

sessions as (

    select * from {{ ref('session_features') }}

),

features as (

    select
        panel.symbol,
        panel.session_date,
        panel.close,
        panel.log_return_1d,
        panel.log_return_5d,
        panel.log_return_21d,
        panel.log_return_63d,
        panel.log_return_252d,
        panel.momentum_12_1,
        -panel.log_return_5d as reversal_5d,
        -panel.log_return_21d as reversal_21d,
        panel.drawdown_252d,
        panel.close_to_high_252d,
        {%- for span in sma_spans %}
        panel.close / (1 + panel.close_to_sma_{{ span }}::double) as sma_{{ span }},
        {%- endfor %}
        {%- for span in sma_spans %}
        panel.close_to_sma_{{ span }},
        {%- endfor %}
        {%- for span in ema_spans %}
        panel.close / (1 + panel.close_to_ema_{{ span }}::double) as ema_{{ span }},
        {%- endfor %}
        {%- for span in ema_spans %}
        panel.close_to_ema_{{ span }},
        {%- endfor %}
        panel.sma_cross_10_50,
        panel.sma_cross_50_200,
        panel.ema_cross_10_50,
        panel.macd_12_26,
        panel.macd_12_26::double - panel.macd_histogram_12_26_9::double as macd_signal_12_26_9,
        panel.macd_histogram_12_26_9,
        panel.macd_12_26 / panel.close as macd_to_close,
        panel.macd_histogram_12_26_9 / panel.close as macd_histogram_to_close,
        panel.rsi_14,
        panel.bollinger_z_20,
        panel.bollinger_width_20,
        panel.vol_21d_annual,
        panel.vol_63d_annual,
        panel.vol_252d_annual,
        panel.parkinson_vol_21d_annual,
        panel.parkinson_vol_63d_annual,
        panel.garman_klass_vol_21d_annual,
        panel.garman_klass_vol_63d_annual,
        panel.atr_14,
        panel.atr_14 / panel.close as atr_14_to_close,
        panel.beta_252d,
        panel.market_correlation_252d,
        panel.obv,
        panel.dollar_volume,
        panel.dollar_volume_21d,
        panel.volume_z_63d,
        panel.amihud_21d,
        panel.momentum_rank,
        panel.reversal_rank,
        panel.volatility_rank,
        panel.dollar_volume_rank,
        sessions.* exclude (session_date)
    from panel
    left join sessions on panel.session_date = sessions.session_date

)

select * from features
