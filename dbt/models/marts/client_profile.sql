{%- set longest_horizon_years = 15 -%}
{%- set implausible_years = 80 -%}
{%- set planning_loss = 0.5 -%}

with goals as (

    select
        goals.*,
        goals.target_date - cut.session_date as horizon_days
    from {{ ref('stg_goals') }} as goals
    cross join {{ ref('stg_cut') }} as cut

),

answers as (

    select * from {{ ref('int_risk_answers') }}

),

preferences as (

    select * from {{ ref('int_preferences') }}

),

goal_worth as (

    select
        client_id,
        goal_id,
        count(*) as account_count,
        sum(wealth_cents) as wealth_cents,
        sum(unpriced_count) as unpriced_count,
        sum(cash_buffer_cents::hugeint + planned_withdrawal_3m_cents) as min_cash_cents
    from {{ ref('account') }}
    group by client_id, goal_id

),

parts as (

    select
        goals.client_id,
        goals.goal_id,
        goals.version as goal_version,
        answers.risk_profile_version,
        goals.kind as goal_kind,
        goals.priority,
        goals.target_cents,
        goals.target_date,
        goals.horizon_days,
        goals.horizon_days / 365.25::double as horizon_years,
        greatest(0, goals.horizon_days * 25200 // 36525) as horizon_sessions,
        coalesce(goal_worth.account_count, 0) as account_count,
        {{ within_bigint('coalesce(goal_worth.wealth_cents, 0)') }} as wealth_cents,
        coalesce(goal_worth.unpriced_count, 0)::bigint as unpriced_count,
        {{ within_bigint('coalesce(goal_worth.min_cash_cents, 0)') }} as min_cash_cents,
        answers.finance_score,
        -- Retirement money is spent over decades after its date: the glide path lowers its risk.
        case when goals.kind = 'retirement' then 100
            else greatest(1, least(
                100, goals.horizon_days * 10000 // (36525 * {{ longest_horizon_years }})
            ))
        end as horizon_score,
        answers.willingness_score,
        answers.consistency_penalty,
        answers.max_loss_percent,
        coalesce(preferences.excluded_symbols, []) as excluded_symbols,
        coalesce(preferences.excluded_classes, []) as excluded_classes,
        preferences.max_symbol_weight,
        case
            when answers.client_id is null then 'no_risk_profile'
            when goals.horizon_days <= 0 then 'target_date_passed'
            when goals.horizon_days > 36525 * {{ implausible_years }} // 100
                then 'target_date_implausible'
            when goal_worth.goal_id is null then 'no_account'
        end as issue
    from goals
    left join answers using (client_id)
    left join preferences using (client_id)
    left join goal_worth
        on goals.goal_id = goal_worth.goal_id and goals.client_id = goal_worth.client_id

),

scored as (

    select
        *,
        case when finance_score is not null
            then least(finance_score, horizon_score)
        end as capacity_score,
        case
            when finance_score is null then null
            when horizon_score <= least(finance_score, willingness_score) then 'horizon'
            when finance_score <= willingness_score then 'finance'
            else 'willingness'
        end as limiting_part,
        case
            when finance_score is null or (
                horizon_days <= 0 and goal_kind is distinct from 'retirement'
            ) then 1
            else greatest(
                1, least(finance_score, horizon_score, willingness_score) - consistency_penalty
            )
        end::bigint as risk_score
    from parts

),

final as (

    select
        client_id,
        goal_id,
        goal_version,
        risk_profile_version,
        goal_kind,
        priority,
        target_cents,
        target_date,
        horizon_days,
        horizon_years,
        horizon_sessions,
        account_count,
        wealth_cents,
        unpriced_count,
        finance_score,
        horizon_score,
        capacity_score,
        willingness_score,
        consistency_penalty,
        risk_score,
        limiting_part,
        least(risk_score, coalesce(max_loss_percent / {{ planning_loss }}, 100))
            / 100::double * {{ planning_loss }}
            as max_loss,
        least(risk_score, coalesce(max_loss_percent / {{ planning_loss }}, 100))
            / 100::double as max_risky_weight,
        min_cash_cents,
        excluded_symbols,
        excluded_classes,
        max_symbol_weight,
        issue
    from scored

)

select * from final
order by client_id, goal_id
