{#- Integer arithmetic throughout: a score must not hang on a rounding of the machine. -#}
with profiles as (

    select * from {{ ref('stg_risk_profiles') }}

),

finance_points as (

    select
        client_id,
        case when annual_income_cents > 0
            then greatest(0, least(
                30, 100 * (annual_income_cents - annual_expenses_cents)::hugeint // annual_income_cents
            ))
            else 0
        end as saving_points,
        case
            when liquid_assets_cents = 0 then 0
            when annual_expenses_cents = 0 then 30
            else least(30, 6 * liquid_assets_cents::hugeint // annual_expenses_cents)
        end as liquidity_points,
        least(20, 20 * emergency_fund_months // 6) as reserve_points,
        5 * (income_stability - 1) as stability_points
    from profiles

),

attitudes as (

    select
        client_id,
        least(100, 2 * max_loss_percent) as loss_attitude,
        25 * (reaction_to_fall - 1) as fall_attitude,
        25 * (gamble_choice - 1) as gamble_attitude,
        25 * (stated_attitude - 1) as stated_attitude
    from profiles

),

spreads as (

    select
        client_id,
        loss_attitude + fall_attitude + gamble_attitude + stated_attitude as attitude_sum,
        greatest(loss_attitude, fall_attitude, gamble_attitude, stated_attitude)
        - least(loss_attitude, fall_attitude, gamble_attitude, stated_attitude) as spread
    from attitudes

),

scores as (

    select
        profiles.client_id,
        profiles.version as risk_profile_version,
        greatest(
            1, saving_points + liquidity_points + reserve_points + stability_points
        )::bigint as finance_score,
        greatest(1, attitude_sum // 4)::bigint as willingness_score,
        (greatest(0, spread - 50) // 2)::bigint as consistency_penalty,
        profiles.max_loss_percent
    from profiles
    inner join finance_points using (client_id)
    inner join spreads using (client_id)

)

select * from scores
order by client_id
