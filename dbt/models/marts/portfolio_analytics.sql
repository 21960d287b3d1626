{#-
  Risk by the single-index model (Sharpe 1963): what a share moves with the market adds up, and what
  it moves by itself does not. beta_i sigma_market = correlation_i sigma_i, so the market's own
  volatility is not needed.
-#}
with holdings as (

    select * from {{ ref('account_holding') }}
    where quantity_micros <> 0

),

recent_sessions as (

    select sessions.session_date
    from {{ ref('stg_sessions') }} as sessions
    inner join {{ ref('stg_cut') }} as cut
        on sessions.session_date >= cut.oldest_fresh_session_date

),

risks as (

    select
        panel.symbol,
        arg_max(
            struct_pack(
                vol_annual := panel.vol_252d_annual::double,
                correlation := panel.market_correlation_252d::double,
                beta := panel.beta_252d::double
            ),
            panel.session_date
        ) as newest
    from {{ ref('int_panel') }} as panel
    inner join recent_sessions using (session_date)
    semi join holdings using (symbol)
    group by panel.symbol

),

positions as (

    select
        holdings.account_id,
        holdings.symbol,
        holdings.weight,
        holdings.weight * instruments.expense_ratio_bps as expense_bps,
        holdings.weight * risks.newest.beta as beta,
        holdings.weight * risks.newest.vol_annual * risks.newest.correlation as market_vol,
        pow(holdings.weight * risks.newest.vol_annual, 2) * (1 - pow(risks.newest.correlation, 2))
            as own_variance
    from holdings
    left join {{ ref('stg_instruments') }} as instruments using (symbol)
    left join risks using (symbol)
    where holdings.symbol <> '$CASH'

),

portfolios as (

    select
        account_id,
        count(*) as position_count,
        max(weight) as largest_weight,
        list_sum(list(weight order by symbol)) as risky_weight,
        list_sum(list(weight * weight order by symbol)) as concentration,
        list_sum(list(expense_bps order by symbol)) as expense_ratio_bps,
        case when count(*) = count(beta) then list_sum(list(beta order by symbol)) end as beta_252d,
        case when count(*) = count(own_variance)
            then sqrt(
                pow(list_sum(list(market_vol order by symbol)), 2)
                + list_sum(list(own_variance order by symbol))
            )
        end as vol_annual
    from positions
    group by account_id

),

returns as (

    select
        owner_id as account_id,
        {%- for period in ['1_month', '3_months', '1_year', 'since_inception'] %}
        {%- for kind in ['time_weighted', 'money_weighted'] %}
        max({{ kind }}_return) filter (where period = '{{ period }}') as {{ kind }}_{{ period }}
        {{- "," if not (loop.last and period == 'since_inception') }}
        {%- endfor %}
        {%- endfor %}
    from {{ ref('performance') }}
    where owner_kind = 'account'
    group by owner_id

),

final as (

    select
        accounts.account_id,
        accounts.client_id,
        accounts.goal_id,
        cut.session_date,
        accounts.wealth_cents,
        accounts.unpriced_count,
        coalesce(portfolios.position_count, 0) as position_count,
        {%- for measure in [
            'risky_weight', 'largest_weight', 'concentration', 'expense_ratio_bps', 'beta_252d',
            'vol_annual'
        ] %}
        case
            when accounts.unpriced_count > 0 or accounts.wealth_cents <= 0 then null
            when portfolios.account_id is null then 0
            else portfolios.{{ measure }}
        end::double as {{ measure }},
        {%- endfor %}
        accounts.drift,
        returns.* exclude (account_id)
    from {{ ref('account') }} as accounts
    cross join {{ ref('stg_cut') }} as cut
    left join portfolios using (account_id)
    left join returns using (account_id)

)

select * from final
order by account_id
